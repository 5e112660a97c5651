"""Gather from and scatter to the four pixels around a point.

All functions except `points`, `scale`, `ratio` and `each` take one example. The P = H * W points of
an `[H, W]` image are in row-major order. The pixels around a point are (left, top), (left + 1,
top), (left, top + 1) and (left + 1, top + 1), in this order.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array

AROUND = ((0, 0), (1, 0), (0, 1), (1, 1))  # (x, y) of the four pixels, from (left, top)
MARGIN = 2  # pixels; points farther outside the image all have the same effect
NARROW = 4  # channels up to which one scatter of four pixels is faster than four scatters on a CPU


def points(flow: Array) -> tuple[Array, Array]:
    """Target coordinates x and y of a flow `[*B, H, W, 2]`, each `[*B, H, W]`."""
    height, width = flow.shape[-3:-1]
    x, y = (jnp.arange(size, dtype=flow.dtype) for size in (width, height))
    lead = [1] * (flow.ndim - 3)  # explicit: implicit rank promotion may be disabled
    return x.reshape(*lead, 1, width) + flow[..., 0], y.reshape(*lead, height, 1) + flow[..., 1]


def corners(flow: Array, *, clamp: bool) -> tuple[Array, Array, list[Array]]:
    """The pixels around every point p + flow(p), and their bilinear weights.

    Args:
      flow: `[H, W, 2]`, any values.
      clamp: move points outside the image to its nearest edge, without gradient; otherwise pixels
        outside the image have weight 0.

    Returns:
      left and top, int32 `[P]` within MARGIN of the image, and the four weights `[P, 1]`.
    """
    height, width = flow.shape[:2]
    x, y = points(flow)
    left, across = _beside(x.reshape(-1, 1), width, clamp)
    top, down = _beside(y.reshape(-1, 1), height, clamp)
    return left[:, 0], top[:, 0], [across[dx] * down[dy] for dx, dy in AROUND]


@jax.custom_jvp
def around(image: Array, left: Array, top: Array) -> list[Array]:
    """The four pixels `[P, C]` around every point; pixels outside must be given weight 0."""
    return [take(rows(image), index) for index in _clipped_places(image, left, top)]


@around.defjvp
def _around_jvp(primals, tangents):
    # These forms are slower but have faster transposes, which the gradient computes.
    form = _around_at_once if tangents[0].shape[-1] > NARROW else _around_by_quads
    return around(*primals), form(tangents[0], *primals[1:])


@jax.custom_jvp
def spread(image: Array, flow: Array) -> Array:
    """The transpose of sampling with zero padding: every pixel is added where its flow points."""
    pixels = rows(image)
    landing = landings(flow)

    def add_corner(corner, out):
        index, weight = landing(corner)
        return add(out, index, scale(pixels, weight))

    # A loop keeps one weighted copy of the image in memory instead of four.
    return lax.fori_loop(0, 4, add_corner, jnp.zeros_like(pixels)).reshape(image.shape)


@spread.defjvp
def _spread_jvp(primals, tangents):
    # Unrolled: the gradient is four gathers, which a loop would stack in memory.
    return spread(*primals), jax.jvp(_spread_unrolled, primals, tangents)[1]


def landings(flow: Array) -> Callable[[int | Array], tuple[Array, Array]]:
    """Where the pixels of an image are added.

    Args:
      flow: `[H, W, 2]`, any values.

    Returns:
      A function of a corner's index in AROUND that returns the row-major index `[P]` of the pixel
      at that corner, H * W if it is outside, and its weight `[P, 1]`.
    """
    height, width = flow.shape[:2]
    x, y = (axis.reshape(-1, 1) for axis in points(flow))
    x, y = _held(x, -MARGIN, width - 1 + MARGIN), _held(y, -MARGIN, height - 1 + MARGIN)

    def landing(corner):
        dx, dy = corner % 2, corner // 2
        left, top = jnp.floor(x), jnp.floor(y)
        across = jnp.where(dx == 0, 1 - (x - left), x - left)
        down = jnp.where(dy == 0, 1 - (y - top), y - top)
        column, row = (axis.astype(jnp.int32)[:, 0] for axis in (left + dx, top + dy))
        here = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        return jnp.where(here, row * width + column, height * width), across * down

    return landing


def scale(values: Array, weight: Array) -> Array:
    """`values` `[..., C]` times `weight` `[..., 1]`, in the type of `values`."""
    # XLA turns this into a plain product, but keeps the weight's gradient a matrix product. A sum
    # over channels would become a scalar loop on a CPU, 5 times slower.
    ones = jnp.ones((1, values.shape[-1]), values.dtype)
    return jnp.dot(weight.astype(values.dtype), ones, precision=lax.Precision.HIGHEST) * values


@jax.custom_jvp
def ratio(values: Array, weight: Array) -> Array:
    """`values` `[..., C]` divided by a nonzero `weight` `[..., 1]`.

    Both may be as small as float32 allows: the gradient uses the ratio itself, because the gradient
    of 1 / weight would square the small weight and underflow.
    """
    return scale(values, 1 / weight)


@ratio.defjvp
def _ratio_jvp(primals, tangents):
    out, weight = ratio(*primals), primals[1]
    return out, scale(tangents[0] - scale(out, tangents[1]), 1 / weight)


def rows(image: Array) -> Array:
    """An `[H, W, C]` image as `[H * W, C]`."""
    return image.reshape(-1, image.shape[-1])


def take(pixels: Array, index: Array) -> Array:
    """`pixels[index]`; the caller guarantees that the index is in bounds."""
    return pixels.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)


def add(pixels: Array, index: Array, values: Array) -> Array:
    """`pixels` with `values` added at `index`; indices past the end are ignored."""
    return pixels.at[index].add(values, mode="drop", wrap_negative_indices=False)


def each(function: Callable, *arrays: Array) -> Array:
    """`function` applied to every example: `[*B, H, W, C]` arrays in, one array out.

    vmap, instead of one long row of pixels, lets XLA shard the batch over devices.
    """
    for _ in arrays[0].shape[:-3]:
        function = jax.vmap(function)
    return function(*arrays)


def _beside(x, size, clamp):
    """The pixel at or before each x on an axis, and the weights of that pixel and the next."""
    x = _held(x, 0, size - 1) if clamp else _held(x, -MARGIN, size - 1 + MARGIN)
    low = jnp.floor(x)
    weights = [1 - (x - low), x - low]
    low = low.astype(jnp.int32)
    if not clamp:
        at = (low, low + 1)
        weights = [jnp.where((at[i] >= 0) & (at[i] < size), weights[i], 0) for i in (0, 1)]
    return low, weights


def _held(x, first, last):
    """x clamped to [first, last], without gradient where clamped; `first` where x is NaN."""
    return jnp.where(x > first, jnp.where(x < last, x, last), first)


def _spread_unrolled(image, flow):
    pixels = rows(image)
    out = jnp.zeros_like(pixels)
    for index, weight in map(landings(flow), range(4)):
        out = add(out, index, scale(pixels, weight))
    return out.reshape(image.shape)


def _around_at_once(image, left, top):
    index = jnp.concatenate(_clipped_places(image, left, top))
    return jnp.split(take(rows(image), index), 4)


def _around_by_quads(image, left, top):
    padded = jnp.pad(image, ((MARGIN, MARGIN + 2), (MARGIN, MARGIN + 2), (0, 0)))
    high, wide = padded.shape[0] - 1, padded.shape[1] - 1
    quads = [padded[dy : dy + high, dx : dx + wide] for dx, dy in AROUND]
    quads = jnp.stack(quads, axis=2).reshape(high * wide, 4, -1)
    taken = take(quads, (top + MARGIN) * wide + left + MARGIN)
    return [taken[:, corner] for corner in range(4)]


def _clipped_places(image, left, top):
    height, width = image.shape[:2]
    rows = [jnp.clip(top + dy, 0, height - 1) * width for dy in (0, 1)]
    columns = [jnp.clip(left + dx, 0, width - 1) for dx in (0, 1)]
    return [rows[dy] + columns[dx] for dx, dy in AROUND]
