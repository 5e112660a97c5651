"""Deformable convolution."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array, Image
from vfi_jax.ops import _check, _grid, _rows, _sampled
from vfi_jax.ops._dispatch import dispatch

CPU_PIXELS = 1024  # pixels whose columns are computed at once on a CPU, so that they fit its cache


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
    outside the image are 0. At integer coordinates the derivative is that of the cell [y, y + 1).
    The gradient of `x` is a scatter-add: reproducible on a CPU, summed in arbitrary order on a GPU.

    Args:
      x: `[*B, H, W, C]`, any float type.
      offset: `[*B, H', W', groups * taps * 2]` pixels; (y, x) of each tap, taps row by row, one set
        per group of C / groups channels. A NaN samples 0.
      mask: `[*B, H', W', groups * taps]`, after its activation; None means ones (DCNv1).
      kernel: `[height, width, C, features]`.
      bias: `[features]`.
      stride: stride along both axes.
      padding: pixels on each side.
      dilation: dilation of the kernel.
      groups: number of channel groups, each with its own offsets and masks.

    Returns:
      `[*B, H', W', features]`, the type of `x`; H' = (H + 2 padding - dilation (height - 1) - 1) //
      stride + 1. Sampled and summed in float32.

    Raises:
      ValueError: the shapes do not match.

    Example:
      >>> x, offset = jnp.arange(6.0).reshape(2, 3, 1), jnp.tile(jnp.array([0.5, 1]), (2, 3, 1))
      >>> mask, kernel = jnp.full((2, 3, 1), 0.5), jnp.full((1, 1, 1, 1), 4.0)
      >>> ops.deformable_conv(x, offset, mask, kernel, padding=0)[..., 0].tolist()
      [[5.0, 7.0, 0.0], [4.0, 5.0, 0.0]]

    Source: Dai et al. 2017; Zhu et al. 2019 (modulation).
    """
    x, offset = _check.image(x, "x"), _check.image(offset, "offset")
    kernel = jnp.asarray(kernel)
    stride, dilation = _check.whole(stride, "stride"), _check.whole(dilation, "dilation")
    padding, groups = _check.whole(padding, "padding", least=0), _check.whole(groups, "groups")
    if kernel.ndim != 4 or kernel.shape[2] != x.shape[-1] or x.shape[-1] % groups:
        raise ValueError(
            f"kernel must be [height, width, {x.shape[-1]}, features] to fit x, its channels a "
            f"multiple of groups={groups}, got {kernel.shape}"
        )
    height, width, _, features = kernel.shape
    rows, columns = (
        (size + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
        for size, taps in zip(x.shape[-3:-1], (height, width), strict=True)
    )
    grid = (*x.shape[:-3], rows, columns)
    taps = groups * height * width
    _check.shaped(offset, (*grid, 2 * taps), "offset", to="x and kernel")
    mask = jnp.ones((*grid, taps), jnp.float32) if mask is None else _check.image(mask, "mask")
    _check.shaped(mask, (*grid, taps), "mask", to="x and kernel")
    if bias is not None:
        _check.shaped(bias, (features,), "bias", to="kernel")
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
    if bias is None:
        return out
    return out + bias.astype(out.dtype).reshape(*[1] * (out.ndim - 1), features)


class _Geometry(NamedTuple):
    """Positions of the taps: options of deformable_conv, and the kernel's height and width."""

    stride: int
    padding: int
    dilation: int
    groups: int
    height: int
    width: int


def _deformable_conv(x, offset, mask, kernel, **options):
    height, width, channels, features = kernel.shape
    geometry = _Geometry(**options, height=height, width=width)
    matrix = kernel.astype(jnp.float32).reshape(height * width * channels, features)

    def one(x, offset, mask):
        return _convolve(geometry, x, offset, mask, matrix)

    return _grid.each(one, *(a.astype(jnp.float32) for a in (x, offset, mask))).astype(x.dtype)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _convolve(geometry, x, offset, mask, matrix):
    """`matrix` is the kernel as `[taps * C, features]`."""
    rows = max(1, CPU_PIXELS // offset.shape[1])
    return lax.platform_dependent(
        x,
        offset,
        mask,
        matrix,
        cpu=functools.partial(_sums, geometry, rows=rows),
        default=functools.partial(_sums, geometry, rows=len(offset)),
    )


def _forward(geometry, *arrays):
    return _convolve(geometry, *arrays), arrays


def _backward(geometry, arrays, cotangent):
    offset = arrays[1]
    rows = max(1, CPU_PIXELS // offset.shape[1])
    return lax.platform_dependent(
        *arrays,
        cotangent,
        cpu=functools.partial(_gradients, geometry, rows=rows),
        default=functools.partial(_gradients, geometry, rows=len(offset)),
    )


_convolve.defvjp(_forward, _backward)


def _sums(geometry, x, offset, mask, matrix, *, rows):
    table = x.reshape(-1, x.shape[-1] // geometry.groups)

    def step(start, rows, out):
        modulation = _tap_major(geometry, _rows.cut(mask, start, rows), 1)
        corners = _corners(geometry, x.shape, start, offset, rows)
        columns = modulation[..., None] * _sampled.read(table, corners)
        columns = columns.reshape(*columns.shape[:2], -1)
        part = jnp.matmul(columns, matrix, precision=lax.Precision.HIGHEST)
        return _rows.paste(out, part, start)

    out = jnp.zeros_like(mask, shape=(*mask.shape[:2], matrix.shape[-1]))
    return _rows.loop(step, out, height=len(mask), most=rows)


def _gradients(geometry, x, offset, mask, matrix, cotangent, *, rows):
    table = x.reshape(-1, x.shape[-1] // geometry.groups)

    def step(start, rows, totals):
        to_table, to_offset, to_mask, to_matrix = totals
        corners = _corners(geometry, x.shape, start, offset, rows)
        modulation = _tap_major(geometry, _rows.cut(mask, start, rows), 1)
        columns = modulation[..., None] * _sampled.read(table, corners)
        part = _rows.cut(cotangent, start, rows).reshape(-1, cotangent.shape[-1])
        to_matrix += jnp.matmul(
            columns.reshape(-1, len(matrix)).T, part, precision=lax.Precision.HIGHEST
        )
        to_columns = jnp.matmul(part, matrix.T, precision=lax.Precision.HIGHEST)
        to_columns = to_columns.reshape(columns.shape)
        found = _sampled.pull(table, corners, modulation, to_columns, to_table)
        moved = jnp.stack([found.y, found.x], axis=-1).swapaxes(2, 3)
        to_offset = _rows.paste(to_offset, moved.reshape(rows, *offset.shape[1:]), start)
        scaled = found.scale.swapaxes(2, 3)
        to_mask = _rows.paste(to_mask, scaled.reshape(rows, *mask.shape[1:]), start)
        return found.table, to_offset, to_mask, to_matrix

    totals = jax.tree.map(jnp.zeros_like, (table, offset, mask, matrix))
    to_table, *others = _rows.loop(step, totals, height=len(mask), most=rows)
    return to_table.reshape(x.shape), *others


def _tap_major(geometry, array, numbers):
    """`[rows, W', groups * taps * numbers]` as `[rows, W', taps, groups(, numbers)]`."""
    taps = geometry.height * geometry.width
    split = array.reshape(*array.shape[:2], geometry.groups, taps, numbers).swapaxes(2, 3)
    return split if numbers > 1 else split[..., 0]


def _corners(geometry, shape, start, offset, rows):
    """The pixels around every sample of some rows from `start` on, and their weights."""
    height, width, _ = shape
    moved = _tap_major(geometry, _rows.cut(offset, start, rows), 2)
    _, columns, taps, groups, _ = moved.shape
    tap, group = jnp.arange(taps)[None, None, :, None], jnp.arange(groups)[None, None, None]
    y = (start + jnp.arange(rows)[:, None, None, None]) * geometry.stride - geometry.padding
    x = jnp.arange(columns)[None, :, None, None] * geometry.stride - geometry.padding
    y = (y + tap // geometry.width * geometry.dilation).astype(moved.dtype) + moved[..., 0]
    x = (x + tap % geometry.width * geometry.dilation).astype(moved.dtype) + moved[..., 1]
    return [
        _sampled.Corner(
            pixel=(row * width + column) * groups + group,
            weight=down * across,
            dx=down * slope_x,
            dy=slope_y * across,
        )
        for row, down, slope_y in _sampled.beside(y, height, clamp=False)
        for column, across, slope_x in _sampled.beside(x, width, clamp=False)
    ]
