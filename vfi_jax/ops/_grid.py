"""The four pixels around a point: reading them and adding to them.

All functions but `points`, `scale` and `each` take one example. The points of an `[H, W]` image are
counted row by row, P = H * W; the pixels around one are (left, top), (left + 1, top),
(left, top + 1) and (left + 1, top + 1), in this order.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array

AROUND = ((0, 0), (1, 0), (0, 1), (1, 1))  # (x, y) of the four pixels, from (left, top)
MARGIN = 2  # pixels around an image beyond which a point makes no difference
NARROW = 4  # up to as many channels one scatter of four pixels is faster than four; on a CPU


def points(flow: Array) -> tuple[Array, Array]:
    """Where a flow `[*B, H, W, 2]` points: x and y, each `[*B, H, W]`."""
    height, width = flow.shape[-3:-1]
    x = jnp.arange(width, dtype=flow.dtype) + flow[..., 0]
    y = jnp.arange(height, dtype=flow.dtype)[:, None] + flow[..., 1]
    return x, y


def corners(flow: Array, *, clamp: bool) -> tuple[Array, Array, list[Array]]:
    """The pixels around every point p + flow(p), and their bilinear weights.

    Args:
      flow: `[H, W, 2]`, any values.
      clamp: a point outside the image stands for the nearest inside, without gradient; otherwise
        pixels outside the image have weight 0.

    Returns:
      left and top, int32 `[P]` within MARGIN of the image, and the four weights `[P, 1]`.
    """
    height, width = flow.shape[:2]
    x, y = points(flow)
    left, across = _beside(x.reshape(-1, 1), width, clamp)
    top, down = _beside(y.reshape(-1, 1), height, clamp)
    return left[:, 0], top[:, 0], [across[dx] * down[dy] for dx, dy in AROUND]


def places(left: Array, top: Array, *, height: int, width: int) -> list[Array]:
    """Row-by-row index `[P]` of the four pixels around every point; H * W outside the image."""
    found = []
    for dx, dy in AROUND:
        x, y = left + dx, top + dy
        here = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        found.append(jnp.where(here, y * width + x, height * width))
    return found


@jax.custom_jvp
def around(image: Array, left: Array, top: Array) -> list[Array]:
    """The four pixels `[P, C]` around every point; what lies outside must be given no weight."""
    return [_take(_rows(image), index) for index in _clipped_places(image, left, top)]


@around.defjvp
def _around_jvp(primals, tangents):
    # Slower forms of the same, chosen for their transposes: that is what a gradient computes.
    form = _around_at_once if tangents[0].shape[-1] > NARROW else _around_by_quads
    return around(*primals), form(tangents[0], *primals[1:])


def spread(values: Sequence[Array], left: Array, top: Array, *, height: int, width: int) -> Array:
    """The transpose of `around`: values `[P, C]` add up to an `[H, W, C]` image."""
    channels = values[0].shape[-1]
    if channels > NARROW:
        out = jnp.zeros((height * width, channels), values[0].dtype)
        for value, index in zip(values, places(left, top, height=height, width=width), strict=True):
            out = _add(out, index, value)
        return out.reshape(height, width, channels)
    rows, columns = height + 2 * MARGIN + 1, width + 2 * MARGIN + 1
    quads = jnp.zeros((rows * columns, 4, channels), values[0].dtype)
    quads = _add(quads, _quad(left, top, width), jnp.stack(values, axis=1))
    quads = quads.reshape(rows, columns, 4, channels)
    starts = enumerate((MARGIN - dx, MARGIN - dy) for dx, dy in AROUND)
    return sum(quads[y : y + height, x : x + width, corner] for corner, (x, y) in starts)


def scale(values: Array, weight: Array) -> Array:
    """`values` `[..., C]` times `weight` `[..., 1]`."""
    # XLA makes a plain product of this one, but the gradient of the weight stays a matrix product:
    # as a sum over channels it would become a scalar loop on a CPU, 5 times slower.
    ones = jnp.ones((1, values.shape[-1]), values.dtype)
    return jnp.dot(weight, ones, precision=lax.Precision.HIGHEST) * values


def each(function: Callable, *arrays: Array) -> Array:
    """`function` of every example: `[*B, H, W, C]` arrays in, one array out.

    A vmap and not one long row of pixels: it lets XLA split the batch over devices.
    """
    for _ in arrays[0].shape[:-3]:
        function = jax.vmap(function)
    return function(*arrays)


def _beside(x, size, clamp):
    """The pixel at or before each x on an axis, and the weights of it and the next."""
    # Comparisons, so that nothing outside has a gradient and what is no number ends at the start.
    first, last = (0, size - 1) if clamp else (-MARGIN, size - 1 + MARGIN)
    x = jnp.where(x > first, jnp.where(x < last, x, last), first)
    low = jnp.floor(x)
    weights = [1 - (x - low), x - low]
    low = low.astype(jnp.int32)
    if not clamp:
        at = (low, low + 1)
        weights = [jnp.where((at[i] >= 0) & (at[i] < size), weights[i], 0) for i in (0, 1)]
    return low, weights


def _around_at_once(image, left, top):
    index = jnp.concatenate(_clipped_places(image, left, top))
    return jnp.split(_take(_rows(image), index), 4)


def _around_by_quads(image, left, top):
    width = image.shape[1]
    padded = jnp.pad(image, ((MARGIN, MARGIN + 2), (MARGIN, MARGIN + 2), (0, 0)))
    rows, columns = padded.shape[0] - 1, padded.shape[1] - 1
    quads = [padded[dy : dy + rows, dx : dx + columns] for dx, dy in AROUND]
    quads = jnp.stack(quads, axis=2).reshape(rows * columns, 4, -1)
    taken = _take(quads, _quad(left, top, width))
    return [taken[:, corner] for corner in range(4)]


def _quad(left, top, width):
    """Index of the pixel (left, top) in an image with margins."""
    return (top + MARGIN) * (width + 2 * MARGIN + 1) + left + MARGIN


def _clipped_places(image, left, top):
    height, width = image.shape[:2]
    rows = [jnp.clip(top + dy, 0, height - 1) * width for dy in (0, 1)]
    columns = [jnp.clip(left + dx, 0, width - 1) for dx in (0, 1)]
    return [rows[dy] + columns[dx] for dx, dy in AROUND]


def _rows(image):
    return image.reshape(-1, image.shape[-1])


def _take(rows, index):
    return rows.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _add(rows, index, values):
    return rows.at[index].add(values, mode="drop", wrap_negative_indices=False)
