"""Convolution whose taps move: deformable convolution."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array, Image
from vfi_jax.ops import _grid
from vfi_jax.ops._dispatch import dispatch

CPU_PIXELS = 1024  # pixels whose columns are made at once on a CPU: they stay in its cache


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


class _Geometry(NamedTuple):
    """Where the taps are: numbers of deformable_conv, and the kernel's height and width."""

    stride: int
    padding: int
    dilation: int
    groups: int
    height: int
    width: int


class _Corner(NamedTuple):
    """One of the four pixels around each sample: `[rows, W', taps, groups]` each."""

    index: Array  # row of the table
    weight: Array
    dy: Array  # derivative of the weight to the sample's y
    dx: Array


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
    return lax.platform_dependent(
        x,
        offset,
        mask,
        matrix,
        cpu=functools.partial(_sums, geometry, pixels=CPU_PIXELS),
        default=functools.partial(_sums, geometry, pixels=None),
    )


def _forward(geometry, *arrays):
    return _convolve(geometry, *arrays), arrays


def _backward(geometry, arrays, cotangent):
    return lax.platform_dependent(
        *arrays,
        cotangent,
        cpu=functools.partial(_gradients, geometry, pixels=CPU_PIXELS),
        default=functools.partial(_gradients, geometry, pixels=None),
    )


_convolve.defvjp(_forward, _backward)


def _sums(geometry, x, offset, mask, matrix, *, pixels):
    table = x.reshape(-1, x.shape[-1] // geometry.groups)

    def chunk(arrays):
        start, offset, mask = arrays
        corners = _corners(geometry, x.shape, start, offset)
        sampled = sum(c.weight[..., None] * table[c.index] for c in corners)
        columns = _tap_major(geometry, mask, 1)[..., None] * sampled
        columns = columns.reshape(*mask.shape[:2], -1)
        return jnp.matmul(columns, matrix, precision=lax.Precision.HIGHEST)

    out = lax.map(chunk, _chunks(pixels, offset, mask))
    return out.reshape(*mask.shape[:2], -1)


def _gradients(geometry, x, offset, mask, matrix, cotangent, *, pixels):
    table = x.reshape(-1, x.shape[-1] // geometry.groups)
    ones = jnp.ones(table.shape[-1], table.dtype)

    def chunk(totals, arrays):
        to_table, to_matrix = totals
        start, offset, mask, part = arrays
        modulation = _tap_major(geometry, mask, 1)
        to_columns = jnp.matmul(part, matrix.T, precision=lax.Precision.HIGHEST)
        to_columns = to_columns.reshape(*modulation.shape, -1)
        sampled = to_mask = to_y = to_x = 0.0
        for corner in _corners(geometry, x.shape, start, offset):
            value = table[corner.index]
            # A dot with ones: XLA would sum inside the loop that gathers, number after number.
            along = (value * to_columns) @ ones
            sampled += corner.weight[..., None] * value
            to_mask += corner.weight * along
            to_y += corner.dy * along
            to_x += corner.dx * along
            share = (corner.weight * modulation)[..., None] * to_columns
            to_table = to_table.at[corner.index].add(share, mode="promise_in_bounds")
        columns = (modulation[..., None] * sampled).reshape(-1, len(matrix))
        part = part.reshape(-1, part.shape[-1])
        to_matrix += jnp.matmul(columns.T, part, precision=lax.Precision.HIGHEST)
        to_offset = jnp.stack([to_y * modulation, to_x * modulation], axis=-1)
        to_offset, to_mask = (a.swapaxes(2, 3) for a in (to_offset, to_mask))
        return (to_table, to_matrix), (to_offset.reshape(offset.shape), to_mask.reshape(mask.shape))

    totals = jnp.zeros_like(table), jnp.zeros_like(matrix)
    chunks = _chunks(pixels, offset, mask, cotangent)
    (to_table, to_matrix), parts = lax.scan(chunk, totals, chunks)
    to_offset, to_mask = (p.reshape(a.shape) for p, a in zip(parts, (offset, mask), strict=True))
    return to_table.reshape(x.shape), to_offset, to_mask, to_matrix


def _chunks(pixels, *arrays):
    """(first row, rows of each array), cut so that a chunk has about that many pixels."""
    height, width = arrays[0].shape[:2]
    most = height if pixels is None else max(1, pixels // width)
    rows = max(rows for rows in range(1, most + 1) if height % rows == 0)
    split = (array.reshape(-1, rows, *array.shape[1:]) for array in arrays)
    return jnp.arange(0, height, rows), *split


def _tap_major(geometry, array, numbers):
    """`[rows, W', groups * taps * numbers]` as `[rows, W', taps, groups(, numbers)]`."""
    taps = geometry.height * geometry.width
    split = array.reshape(*array.shape[:2], geometry.groups, taps, numbers).swapaxes(2, 3)
    return split if numbers > 1 else split[..., 0]


def _corners(geometry, shape, start, offset):
    """The pixels around every sample of the rows from `start` on, and their weights."""
    height, width, _ = shape
    moved = _tap_major(geometry, offset, 2)
    rows, columns, taps, groups, _ = moved.shape
    tap = jnp.arange(taps)[:, None]
    y = (start + jnp.arange(rows)[:, None, None, None]) * geometry.stride - geometry.padding
    x = jnp.arange(columns)[:, None, None] * geometry.stride - geometry.padding
    y = y + tap // geometry.width * geometry.dilation + moved[..., 0]
    x = x + tap % geometry.width * geometry.dilation + moved[..., 1]
    return [
        _Corner(
            (row * width + column) * groups + jnp.arange(groups),
            down * across,
            slope_y * across,
            down * slope_x,
        )
        for row, down, slope_y in _beside(y, height)
        for column, across, slope_x in _beside(x, width)
    ]


def _beside(position, size):
    """(index, weight, slope) of the two pixels beside each position; nothing outside has any."""
    # On -1 itself, as outside and for what is not a number, even the slopes are 0.
    position = jnp.where((position > -1) & (position < size), position, -2)
    low = jnp.floor(position)
    part = position - low
    low = low.astype(jnp.int32)
    for index, weight, slope in ((low, 1 - part, -1.0), (low + 1, part, 1.0)):
        here = (index >= 0) & (index < size)
        yield jnp.clip(index, 0, size - 1), jnp.where(here, weight, 0), jnp.where(here, slope, 0)
