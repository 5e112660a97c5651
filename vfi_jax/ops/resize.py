"""Changing the size of images and flows."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax.arrays import Flow, Image
from vfi_jax.ops import _check
from vfi_jax.ops._dispatch import dispatch

BICUBIC = -0.5  # Keys' a, MATLAB's choice (Keys 1981)


def resize_bilinear(x: Image, shape: tuple[int, int], *, align_corners: bool = False) -> Image:
    """Bilinear interpolation to a new height and width, without antialiasing.

    Output pixel i samples the input at max(0, (i + 1/2) size / new_size - 1/2), or with
    align_corners at i (size - 1) / (new_size - 1).

    Args:
      x: `[*B, H, W, C]`, any float type.
      shape: (new height, new width).
      align_corners: align the first and last pixels of both grids.

    Returns:
      `[*B, *shape, C]`, the type of `x`; interpolated in float32.

    Raises:
      ValueError: a size in `shape` is below 1, or x is not of a float type.

    Example:
      >>> x = jnp.array([[[0.0], [8]]])
      >>> ops.resize_bilinear(x, (1, 4))[..., 0].tolist()
      [[0.0, 2.0, 6.0, 8.0]]
      >>> ops.resize_bilinear(x, (1, 5), align_corners=True)[..., 0].tolist()
      [[0.0, 2.0, 4.0, 6.0, 8.0]]

    Source: PyTorch's interpolate(mode="bilinear").
    """
    x = _check.image(x, "x")
    height, width = _sizes(shape)
    if (height, width) == x.shape[-3:-1]:
        return x
    return dispatch(
        "resize_bilinear", _resize_bilinear, x, shape=(height, width), align_corners=align_corners
    )


def resize_flow(flow: Flow, shape: tuple[int, int], *, align_corners: bool = False) -> Flow:
    """Resize a flow field and its vectors: the result is in pixels of the new size.

    The grid is resized as by `resize_bilinear`, then x is multiplied by new width / width and y by
    new height / height (for either value of align_corners, as published networks do).

    Args:
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      shape: (new height, new width).
      align_corners: as in `resize_bilinear`.

    Returns:
      `[*B, *shape, 2]` float32.

    Raises:
      ValueError: a size in `shape` is below 1, or `flow` has the wrong type or number of channels.

    Example:
      >>> ops.resize_flow(jnp.array([[[1.0, 3]]]), (1, 2)).tolist()
      [[[2.0, 3.0], [2.0, 3.0]]]

    Source: the convention of pyramidal flow networks, such as Ranjan & Black 2017 (SPyNet).
    """
    flow = _check.flow(flow)
    height, width = _sizes(shape)
    ratio = jnp.asarray([width / flow.shape[-2], height / flow.shape[-3]], flow.dtype)
    return resize_bilinear(flow, shape, align_corners=align_corners) * _along(-1, ratio, flow)


def imresize(x: Image, scale: float) -> Image:
    """MATLAB's imresize: bicubic, antialiased when downscaling.

    The kernel is Keys' cubic with a = -1/2, stretched by 1 / scale when scale < 1, with normalised
    weights. Beyond the edges the image is mirrored with the edge pixel repeated.

    The result is neither clipped nor rounded and overshoots at edges. To reproduce MATLAB's 8-bit
    output and the benchmarks' low-resolution files, use
    `jnp.clip(jnp.round(y), 0, 255).astype(jnp.uint8)` on y scaled to 0 .. 255 (round half to even,
    saturate).

    Args:
      x: `[*B, H, W, C]`, any float type.
      scale: new size over old size, any positive number.

    Returns:
      `[*B, ceil(scale H), ceil(scale W), C]`, the type of `x`; computed in float32.

    Raises:
      ValueError: scale is not positive, or x is not of a float type.

    Example:
      >>> ops.imresize(jnp.array([0.0, 0, 64, 0]).reshape(1, 4, 1), 0.5)[..., 0].tolist()
      [[6.5, 25.5]]

    Source: Keys 1981; MATLAB's imresize.
    """
    x = _check.image(x, "x")
    if not 0 < scale < math.inf:
        raise ValueError(f"scale must be positive, got {scale}")
    return dispatch("imresize", _imresize, x, scale=float(scale))


def _sizes(shape):
    height, width = shape
    return _check.whole(height, "height of shape"), _check.whole(width, "width of shape")


class _Taps(NamedTuple):
    """Source pixels and weights of each output pixel on one axis, constant at trace time.

    Attributes:
      source: input pixels, `[new size, taps]`.
      weight: their weights, `[new size, taps]`.
    """

    source: np.ndarray
    weight: np.ndarray


def _resize_bilinear(x, *, shape, align_corners):
    rows, columns = (
        _bilinear_taps(size, new_size, align_corners)
        for size, new_size in zip(x.shape[-3:-1], shape, strict=True)
    )
    resize = _with_gradient(_four_corners, rows, columns)
    return resize(x.astype(jnp.float32)).astype(x.dtype)


def _imresize(x, *, scale):
    rows, columns = (_bicubic_taps(size, scale) for size in x.shape[-3:-1])
    resize = _with_gradient(_along_axes, rows, columns)
    return resize(x.astype(jnp.float32)).astype(x.dtype)


def _with_gradient(function, rows, columns):
    """`function(x, rows, columns)` of x with a gradient of gathers instead of XLA's scatters."""

    @jax.custom_vjp
    def apply(x):
        return function(x, rows, columns)

    def forward(x):
        return apply(x), x.shape

    def backward(shape, cotangent):
        back = (_transposed(rows, shape[-3]), _transposed(columns, shape[-2]))
        return (_along_axes(cotangent, *back),)

    apply.defvjp(forward, backward)
    return apply


def _four_corners(x, rows, columns):
    """Two taps per axis as one fusion of gathers; two matmuls take 10 times as long."""
    down, across = _along(-3, rows.weight[:, 1], x), _along(-2, columns.weight[:, 1], x)

    def across_at(source):
        line = jnp.take(x, source, axis=-3, mode="clip")
        left, right = (jnp.take(line, taps, axis=-2, mode="clip") for taps in columns.source.T)
        return left * (1 - across) + right * across

    upper, lower = (across_at(source) for source in rows.source.T)
    return upper * (1 - down) + lower * down


def _along_axes(x, rows, columns):
    """Any number of taps, one axis at a time."""
    for axis, taps in ((-3, rows), (-2, columns)):
        x = sum(
            jnp.take(x, taps.source[:, tap], axis=axis, mode="clip")
            * _along(axis, taps.weight[:, tap], x)
            for tap in range(taps.source.shape[1])
        )
    return x


def _along(axis, numbers, x):
    """One number per position on an axis of `x`, broadcastable to `x`."""
    return numbers.reshape([-1 if axis == place else 1 for place in range(-x.ndim, 0)])


def _transposed(taps, size):
    """The taps that map a cotangent of the output pixels to `size` input pixels."""
    new, tap = np.nonzero(taps.weight)
    old, weight = taps.source[new, tap], taps.weight[new, tap]
    order = np.argsort(old, kind="stable")
    old, new, weight = old[order], new[order], weight[order]
    count = np.bincount(old, minlength=size)
    place = np.arange(len(old)) - np.repeat(np.cumsum(count) - count, count)
    back = _Taps(*(np.zeros((size, count.max()), kind) for kind in (np.int32, np.float32)))
    back.source[old, place] = new
    back.weight[old, place] = weight
    return back


def _bilinear_taps(size, new_size, align_corners):
    new = np.arange(new_size)
    if align_corners:
        position = new * ((size - 1) / max(new_size - 1, 1))
    else:
        position = np.maximum((new + 0.5) * (size / new_size) - 0.5, 0)
    first = np.minimum(position.astype(np.int32), size - 1)
    index = np.stack([first, np.minimum(first + 1, size - 1)], axis=1)
    part = position - first
    return _Taps(index, np.stack([1 - part, part], axis=1).astype(np.float32))


def _bicubic_taps(size, scale):
    # Rounding may push the product of a size and 1/3 above the intended integer.
    new_size = math.ceil(size * scale - 1e-9)
    stretch = max(1.0, 1 / scale)
    position = (np.arange(new_size) + 0.5) / scale - 0.5
    first = np.floor(position - 2 * stretch).astype(np.int64)
    index = first[:, None] + np.arange(math.ceil(4 * stretch) + 2)
    weight = _cubic((position[:, None] - index) / stretch)
    weight /= weight.sum(axis=1, keepdims=True)
    mirrored = np.concatenate([np.arange(size), np.arange(size)[::-1]])
    used = np.any(weight != 0, axis=0)
    return _Taps(mirrored[index % (2 * size)][:, used], weight[:, used].astype(np.float32))


def _cubic(distance):
    x = np.abs(distance)
    near = (BICUBIC + 2) * x**3 - (BICUBIC + 3) * x**2 + 1
    far = BICUBIC * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
