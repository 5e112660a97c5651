"""Filters that differ from pixel to pixel."""

import math

import jax.numpy as jnp

from vfi_jax.arrays import Flow, Image
from vfi_jax.ops import _grid, _separable
from vfi_jax.ops._dispatch import dispatch


def adaptive_warp(image: Image, flow: Flow, kernel: Image) -> Image:
    """Filter `image` around the place where `flow` points, with one small kernel per pixel.

    With (x', y') = p + flow(p) and (a, b) its fraction, tap (j, i) of the F x F kernel reads row
    int(y') + 1 - F // 2 + j and column int(x') + 1 - F // 2 + i, moved into the image; its weight
    is kernel(p, F j + i), times 1 - a if the column (before it was moved) is at most int(x') and a
    otherwise, times 1 - b or b for the row alike. A pixel whose (x', y') lies outside the image,
    or whose |x flow| >= W / 2 or |y flow| >= H / 2, copies `image`.

    The gradient is the true one: a copied pixel passes its cotangent on to `image`, where the
    original gives 0.

    Args:
      image: `[*B, H, W, C]`, any float type.
      flow: `[*B, H, W, 2]` pixels, (x, y).
      kernel: `[*B, H, W, F * F]`, row by row; not normalised. F = 4 in the literature.

    Returns:
      `[*B, H, W, C]`, the type of `image`; computed in float32.

    Raises:
      ValueError: flow or kernel does not fit image.

    Source: Bao et al. 2018 (MEMC-Net), sec. 3.2; Bao et al. 2019 (DAIN).
    """
    side = math.isqrt(kernel.shape[-1])
    if flow.shape != (*image.shape[:-1], 2):
        raise ValueError(f"flow must be {(*image.shape[:-1], 2)} to fit image, got {flow.shape}")
    if kernel.shape != (*image.shape[:-1], side**2):
        raise ValueError(
            f"kernel must be {(*image.shape[:-1], 'F * F')} to fit image, got {kernel.shape}"
        )
    return dispatch("adaptive_warp", _adaptive_warp, image, flow, kernel)


def adaptive_separable_conv(image: Image, vertical: Image, horizontal: Image) -> Image:
    """Convolve every pixel with its own kernel, the product of two vectors of K taps.

    out(y, x) = sum over i, j of vertical(y, x, i) horizontal(y, x, j) image(y + i, x + j)

    Args:
      image: `[*B, H + K - 1, W + K - 1, C]`, any float type; padded by the caller.
      vertical: `[*B, H, W, K]`.
      horizontal: `[*B, H, W, K]`.

    Returns:
      `[*B, H, W, C]`, the type of `image`; summed in float32.

    Raises:
      ValueError: the shapes do not fit one another.

    Source: Niklaus et al. 2017 (SepConv), eq. 2.
    """
    *batch, height, width, taps = vertical.shape
    if horizontal.shape != vertical.shape:
        raise ValueError(f"horizontal must be {vertical.shape} as vertical, got {horizontal.shape}")
    padded = (*batch, height + taps - 1, width + taps - 1)
    if image.shape[:-1] != padded:
        raise ValueError(
            f"image must be {(*padded, 'C')}, {taps - 1} pixels larger than the kernels' "
            f"{height} x {width}, got {image.shape}"
        )
    return dispatch("adaptive_separable_conv", _separable_conv, image, vertical, horizontal)


def _adaptive_warp(image, flow, kernel):
    *batch, height, width, channels = image.shape
    side = math.isqrt(kernel.shape[-1])
    values = image.astype(jnp.float32).reshape(-1, height, width, channels)
    u, v = flow[..., 0].astype(jnp.float32), flow[..., 1].astype(jnp.float32)
    x = jnp.arange(width) + u
    y = jnp.arange(height)[:, None] + v
    valid = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    valid &= (jnp.abs(u) < width / 2) & (jnp.abs(v) < height / 2)
    x, y = jnp.where(valid, x, 0), jnp.where(valid, y, 0)
    left, top = x.astype(jnp.int32), y.astype(jnp.int32)
    a, b = x - left, y - top
    out = 0.0
    n = jnp.arange(values.shape[0])[:, None, None]
    for j in range(side):
        dy = 1 - side // 2 + j
        row = jnp.clip(top + dy, 0, height - 1)
        for i in range(side):
            dx = 1 - side // 2 + i
            column = jnp.clip(left + dx, 0, width - 1)
            weight = (1 - a if dx <= 0 else a) * (1 - b if dy <= 0 else b)
            tap = values[n, row.reshape(-1, height, width), column.reshape(-1, height, width)]
            tap = tap.reshape(image.shape)
            out += (weight * kernel[..., side * j + i])[..., None] * tap
    return jnp.where(valid[..., None], out, image).astype(image.dtype)


def _separable_conv(image, vertical, horizontal):
    floats = (array.astype(jnp.float32) for array in (image, vertical, horizontal))
    return _grid.each(_separable.separable_conv, *floats).astype(image.dtype)
