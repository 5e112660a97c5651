"""Convolution whose taps move: deformable convolution."""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array, Image
from vfi_jax.ops._dispatch import dispatch

CHUNK = 4096  # pixels whose columns are made at once on a CPU: they stay in its cache


def deformable_conv(
    x: Image,
    offset: Image,
    mask: Image | None,
    kernel: Array,
    bias: Array | None = None,
    *,
    stride: int = 1,
    padding: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> Image:
    """Convolution whose taps are displaced and weighted per pixel (DCNv2).

    out(p) = bias + sum over taps k of kernel(k) mask(p, k) x(p stride - padding + k dilation +
    offset(p, k)), sampled bilinearly; a sample at y counts if -1 < y < H (x alike) and pixels
    outside the image are 0. The derivative at whole coordinates is that of the cell [y, y + 1).

    Args:
      x: `[*B, H, W, C]`, any float type.
      offset: `[*B, H', W', groups * taps * 2]` pixels; (y, x) of each tap, taps row by row, one set
        per group of C / groups channels.
      mask: `[*B, H', W', groups * taps]`, already activated; None is a mask of ones (DCNv1).
      kernel: `[height, width, C, features]`.
      bias: `[features]`.
      stride: of both axes.
      padding: pixels on each side.
      dilation: of the kernel.
      groups: groups of channels with offsets and masks of their own.

    Returns:
      `[*B, H', W', features]`, the type of `x`; H' = (H + 2 padding - dilation (height - 1) - 1) //
      stride + 1. Sampled and summed in float32.

    Raises:
      ValueError: the shapes do not fit one another.

    Source: Dai et al. 2017; Zhu et al. 2019 (modulation).
    """
    height, width, channels, _ = kernel.shape
    if x.shape[-1] != channels or channels % groups:
        raise ValueError(
            f"x must have the kernel's {channels} channels, a multiple of groups={groups}, "
            f"got {x.shape}"
        )
    rows, columns = (
        (size + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
        for size, taps in zip(x.shape[-3:-1], (height, width), strict=True)
    )
    grid = (*x.shape[:-3], rows, columns)
    taps = height * width * groups
    if offset.shape != (*grid, 2 * taps):
        raise ValueError(f"offset must be {(*grid, 2 * taps)}, got {offset.shape}")
    if mask is None:
        mask = jnp.ones((*grid, taps), offset.dtype)
    if mask.shape != (*grid, taps):
        raise ValueError(f"mask must be {(*grid, taps)}, got {mask.shape}")
    out = dispatch(
        "deformable_conv",
        _deformable_conv,
        x,
        offset,
        mask,
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    return out if bias is None else out + bias.astype(out.dtype)


def _deformable_conv(x, offset, mask, kernel, *, stride, padding, dilation, groups):
    *_, height, width, channels = x.shape
    *batch, rows, columns, _ = offset.shape
    kh, kw, _, features = kernel.shape
    table = x.astype(jnp.float32).reshape(-1, height, width, groups, channels // groups)
    offset = offset.astype(jnp.float32).reshape(-1, rows, columns, groups, kh * kw, 2)
    offset = offset.swapaxes(-2, -3)
    mask = mask.astype(jnp.float32).reshape(-1, rows, columns, groups, kh * kw).swapaxes(-1, -2)
    count = table.shape[0]
    base_y = jnp.arange(rows)[:, None, None, None] * stride - padding
    base_x = jnp.arange(columns)[None, :, None, None] * stride - padding
    tap = jnp.arange(kh * kw)[:, None]
    y = base_y + tap // kw * dilation + offset[..., 0]
    xx = base_x + tap % kw * dilation + offset[..., 1]
    valid = (y > -1) & (y < height) & (xx > -1) & (xx < width)
    y = jnp.where(valid, y, 0)
    xx = jnp.where(valid, xx, 0)
    mask = jnp.where(valid, mask, 0)
    y0 = jnp.floor(y)
    x0 = jnp.floor(xx)
    fy, fx = y - y0, xx - x0
    y0, x0 = y0.astype(jnp.int32), x0.astype(jnp.int32)
    n = jnp.arange(count)[:, None, None, None, None]
    g = jnp.arange(groups)
    cols = 0.0
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (fy if dy else 1 - fy) * (fx if dx else 1 - fx)
            yy, xc = y0 + dy, x0 + dx
            inside = (yy >= 0) & (yy < height) & (xc >= 0) & (xc < width)
            value = table[n, jnp.clip(yy, 0, height - 1), jnp.clip(xc, 0, width - 1), g]
            cols += jnp.where(inside, weight * mask, 0)[..., None] * value
    cols = cols.reshape(*batch, rows, columns, kh * kw * channels)
    flat = kernel.astype(jnp.float32).reshape(kh * kw * channels, features)
    return jnp.matmul(cols, flat, precision=lax.Precision.HIGHEST).astype(x.dtype)
