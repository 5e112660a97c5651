"""Filters that differ from pixel to pixel."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from vfi_jax.arrays import Array, Flow, Image
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
    floats = (array.astype(jnp.float32) for array in (image, flow, kernel))
    return _grid.each(_filter, *floats).astype(image.dtype)


class _Tap(NamedTuple):
    """One tap of every pixel's kernel: `[H, W]` each.

    Attributes:
      index: of the pixel it reads, row by row.
      weight: its bilinear weight.
      dx: derivative of the weight to the x of the flow.
      dy: derivative of the weight to the y of the flow.
    """

    index: Array
    weight: Array
    dx: Array
    dy: Array


@jax.custom_vjp
def _filter(image, flow, kernel):
    pixels = image.reshape(-1, image.shape[-1])
    valid, taps = _taps(flow, math.isqrt(kernel.shape[-1]))
    out = jnp.zeros_like(image)
    for number, tap in enumerate(taps):
        out += (tap.weight * kernel[..., number])[..., None] * pixels[tap.index]
    return jnp.where(valid[..., None], out, image)


def _filter_forward(*arrays):
    return _filter(*arrays), arrays


def _filter_backward(arrays, cotangent):
    image, flow, kernel = arrays
    pixels = image.reshape(-1, image.shape[-1])
    ones = jnp.ones(image.shape[-1], image.dtype)
    valid, taps = _taps(flow, math.isqrt(kernel.shape[-1]))
    copied = jnp.where(valid[..., None], 0, cotangent)
    filtered = cotangent - copied
    to_pixels, to_kernel, to_x, to_y = copied.reshape(pixels.shape), [], 0.0, 0.0
    for number, tap in enumerate(taps):
        # A dot with ones: XLA would sum inside the loop that gathers, number after number.
        along = (filtered * pixels[tap.index]) @ ones
        to_kernel.append(tap.weight * along)
        to_x += tap.dx * kernel[..., number] * along
        to_y += tap.dy * kernel[..., number] * along
        share = (tap.weight * kernel[..., number])[..., None] * filtered
        to_pixels = to_pixels.at[tap.index].add(share, mode="promise_in_bounds")
    to_flow = jnp.stack([to_x, to_y], axis=-1)
    return to_pixels.reshape(image.shape), to_flow, jnp.stack(to_kernel, axis=-1)


_filter.defvjp(_filter_forward, _filter_backward)


def _taps(flow, side):
    """Which pixels filter and do not copy, `[H, W]`, and the taps of their kernels."""
    height, width = flow.shape[:2]
    x, y = _grid.points(flow)
    valid = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    valid &= (jnp.abs(flow[..., 0]) < width / 2) & (jnp.abs(flow[..., 1]) < height / 2)
    x, y = jnp.where(valid, x, 0), jnp.where(valid, y, 0)
    return valid, [
        _Tap(row * width + column, across * down, slope_x * down, across * slope_y)
        for row, down, slope_y in _along(y, height, side)
        for column, across, slope_x in _along(x, width, side)
    ]


def _along(position, size, side):
    """(index, weight, slope) of the taps along an axis; the nearer half weighs 1 - fraction."""
    low = position.astype(jnp.int32)
    part = position - low
    for step in range(1 - side // 2, 1 - side // 2 + side):
        weight, slope = (1 - part, -1.0) if step <= 0 else (part, 1.0)
        yield jnp.clip(low + step, 0, size - 1), weight, slope


def _separable_conv(image, vertical, horizontal):
    floats = (array.astype(jnp.float32) for array in (image, vertical, horizontal))
    return _grid.each(_separable.separable_conv, *floats).astype(image.dtype)
