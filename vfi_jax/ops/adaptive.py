"""Filters that differ from pixel to pixel."""

import functools
import math

import jax.numpy as jnp

from vfi_jax.arrays import Flow, Image
from vfi_jax.ops import _check, _grid, _separable, _taps
from vfi_jax.ops._dispatch import dispatch


def adaptive_warp(image: Image, flow: Flow, kernel: Image) -> Image:
    """Filter `image` around the place where `flow` points, with one small kernel per pixel.

    With (x', y') = p + flow(p) and (a, b) its fraction, tap (j, i) of the F x F kernel reads row
    int(y') + 1 - F // 2 + j and column int(x') + 1 - F // 2 + i, moved into the image; its weight
    is kernel(p, F j + i), times 1 - a if the column (before it was moved) is at most int(x') and a
    otherwise, times 1 - b or b for the row alike. A pixel whose (x', y') lies outside the image,
    or whose |x flow| >= W / 2 or |y flow| >= H / 2, copies `image`.

    The gradient is exact: a copied pixel passes its cotangent to `image`, where the original gives
    0. The gradient of `image` is a scatter-add: reproducible on a CPU, summed in arbitrary order on
    a GPU.

    Args:
      image: `[*B, H, W, C]`, any float type.
      flow: `[*B, H, W, 2]` float32 pixels, (x, y); a NaN copies the pixel.
      kernel: `[*B, H, W, F * F]`, row by row; not normalised. F = 4 in the literature.

    Returns:
      `[*B, H, W, C]`, the type of `image`; computed in float32.

    Raises:
      ValueError: flow or kernel does not fit image.

    Example:
      >>> image = jnp.arange(12.0).reshape(3, 4, 1)
      >>> flow = jnp.tile(jnp.array([1, 0.5]), (3, 4, 1))
      >>> kernel = jnp.tile(jnp.array([1.0, 2, 3, 4]), (3, 4, 1))
      >>> ops.adaptive_warp(image, flow, kernel)[..., 0].tolist()
      [[8.0, 10.0, 12.0, 3.0], [16.0, 18.0, 20.0, 7.0], [8.0, 9.0, 10.0, 11.0]]

    Source: Bao et al. 2018 (MEMC-Net), sec. 3.2; Bao et al. 2019 (DAIN).
    """
    image = _check.image(image)
    flow = _check.flow(flow, fit=image)
    kernel = _check.image(kernel, "kernel")
    side = math.isqrt(kernel.shape[-1])
    _check.shaped(kernel, (*image.shape[:-1], side**2), "kernel", to="image")
    return dispatch("adaptive_warp", _adaptive_warp, image, flow, kernel)


def adaptive_separable_conv(image: Image, vertical: Image, horizontal: Image) -> Image:
    """Convolve every pixel with its own kernel, the product of two vectors of K taps.

    out(y, x) = sum over i, j of vertical(y, x, i) horizontal(y, x, j) image(y + i, x + j)

    Args:
      image: `[*B, H + K - 1, W + K - 1, C]`, any float type; the caller pads it.
      vertical: `[*B, H, W, K]`.
      horizontal: `[*B, H, W, K]`.

    Returns:
      `[*B, H, W, C]`, the type of `image`; summed in float32.

    Raises:
      ValueError: the shapes do not match.

    Example:
      >>> image = jnp.arange(12.0).reshape(3, 4, 1)
      >>> vertical = jnp.tile(jnp.array([1.0, 0, 0]), (1, 2, 1))
      >>> horizontal = jnp.tile(jnp.array([0, 0, 1.0]), (1, 2, 1))
      >>> ops.adaptive_separable_conv(image, vertical, horizontal)[..., 0].tolist()
      [[2.0, 3.0]]

    Source: Niklaus et al. 2017 (SepConv), eq. 2.
    """
    image = _check.image(image)
    vertical = _check.image(vertical, "vertical")
    horizontal = _check.image(horizontal, "horizontal")
    _check.shaped(horizontal, vertical.shape, "horizontal", to="vertical")
    *batch, height, width, taps = vertical.shape
    padded = (*batch, height + taps - 1, width + taps - 1, image.shape[-1])
    _check.shaped(image, padded, "image", to=f"kernels of {taps} taps for {height} x {width}")
    return dispatch("adaptive_separable_conv", _separable_conv, image, vertical, horizontal)


def adaptive_flow_conv(image: Image, weight: Image, offset: Image, *, dilation: int = 1) -> Image:
    """Sum K x K taps, each with its own weight and displacement per pixel (AdaCoF).

    out(p) = sum over taps k of weight(p, k) image(p + dilation (column(k), row(k)) + offset(p, k)),
    sampled bilinearly, rows and columns counted from the middle of the K x K grid; outside, the
    image continues as its edges. At whole coordinates the derivative is that of the cell above.
    The gradient of `image` is a scatter-add: reproducible on a CPU, summed in arbitrary order on a
    GPU.

    Args:
      image: `[*B, H, W, C]`, any float type; not padded.
      weight: `[*B, H, W, K * K]`, row by row; in the literature they sum to 1.
      offset: `[*B, H, W, K * K * 2]` pixels, (y, x) of each tap: the paper's alpha and beta.
      dilation: pixels between neighbouring taps.

    Returns:
      `[*B, H, W, C]`, the type of `image`; computed in float32.

    Raises:
      ValueError: the shapes do not match, or K is not odd.

    Example:
      >>> image, offset = jnp.arange(6.0).reshape(2, 3, 1), jnp.tile(jnp.array([0.5, 1]), (2, 3, 1))
      >>> ops.adaptive_flow_conv(image, jnp.full((2, 3, 1), 2.0), offset)[..., 0].tolist()
      [[5.0, 7.0, 7.0], [8.0, 10.0, 10.0]]

    Source: Lee et al. 2020 (AdaCoF), eq. 3.
    """
    image = _check.image(image)
    weight, offset = _check.image(weight, "weight"), _check.image(offset, "offset")
    side = math.isqrt(weight.shape[-1])
    if side % 2 == 0:
        raise ValueError(f"weight must have K * K channels with K odd, got {weight.shape}")
    _check.shaped(weight, (*image.shape[:-1], side**2), "weight", to="image")
    _check.shaped(offset, (*image.shape[:-1], 2 * side**2), "offset", to="image")
    return dispatch(
        "adaptive_flow_conv", _adaptive_flow_conv, image, weight, offset, dilation=dilation
    )


def _adaptive_warp(image, flow, kernel):
    floats = (array.astype(jnp.float32) for array in (image, flow, kernel))
    return _grid.each(_taps.filter_around, *floats).astype(image.dtype)


def _adaptive_flow_conv(image, weight, offset, *, dilation):
    floats = (array.astype(jnp.float32) for array in (image, weight, offset))
    collect = functools.partial(_taps.collect, dilation)
    return _grid.each(collect, *floats).astype(image.dtype)


def _separable_conv(image, vertical, horizontal):
    floats = (array.astype(jnp.float32) for array in (image, vertical, horizontal))
    return _grid.each(_separable.separable_conv, *floats).astype(image.dtype)
