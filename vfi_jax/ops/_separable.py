"""XLA forms of the adaptive separable convolution: functions on one example, in float32."""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array
from vfi_jax.ops import _banded

DIRECT_ROWS = 4  # rows made at once on a CPU: the sums stay in its cache
BLOCK = 32  # columns of one matrix product; measured on a CPU
# Rows whose products are made at once: the image's windows are BLOCK + K by K for every BLOCK
# pixels. A CPU has enough in one row; elsewhere many small steps would cost more than their work.
CPU_ROWS = 1
OTHER_ROWS = 16


@jax.custom_vjp
def separable_conv(image: Array, vertical: Array, horizontal: Array) -> Array:
    """`[H + K - 1, W + K - 1, C]` and kernels `[H, W, K]` to `[H, W, C]`."""
    return lax.platform_dependent(image, vertical, horizontal, cpu=_direct, default=_products)


def _forward(*arrays):
    return separable_conv(*arrays), arrays


def _backward(arrays, cotangent):
    return lax.platform_dependent(
        *arrays,
        cotangent,
        cpu=functools.partial(_gradients, rows=CPU_ROWS),
        default=functools.partial(_gradients, rows=OTHER_ROWS),
    )


separable_conv.defvjp(_forward, _backward)


def _direct(image, vertical, horizontal):
    """A few rows after the other; the taps of a row of kernels are one fused loop."""
    height, width, taps = vertical.shape
    rows = _divisor(height, DIRECT_ROWS)
    planes = image.transpose(2, 0, 1)

    def chunk(index, out):
        start = index * rows
        down = lax.dynamic_slice_in_dim(vertical, start, rows).transpose(2, 0, 1)
        across = lax.dynamic_slice_in_dim(horizontal, start, rows).transpose(2, 0, 1)

        def tap(i, total):
            lines = lax.dynamic_slice_in_dim(planes, start + i, rows, axis=1)
            line = sum(lines[:, :, j : j + width] * across[j] for j in range(taps))
            return total + line * down[i]

        total = lax.fori_loop(0, taps, tap, jnp.zeros((len(planes), rows, width), image.dtype))
        return lax.dynamic_update_slice_in_dim(out, total, start, axis=1)

    out = jnp.zeros((len(planes), height, width), image.dtype)
    return lax.fori_loop(0, height // rows, chunk, out).transpose(1, 2, 0)


def _products(image, vertical, horizontal):
    """Blocks of `OTHER_ROWS` rows, each a batch of banded matrix products."""
    height, width, taps = vertical.shape
    rows = _divisor(height, OTHER_ROWS)
    columns = image.transpose(1, 2, 0)

    def chunk(arrays):
        start, down, across = arrays
        lines = lax.dynamic_slice_in_dim(columns, start, rows + taps - 1, axis=2)
        return _rows(lines, down, across)

    starts = jnp.arange(0, height, rows)
    kernels = (k.reshape(-1, rows, width, taps) for k in (vertical, horizontal))
    return lax.map(chunk, (starts, *kernels)).reshape(height, width, -1)


def _gradients(image, vertical, horizontal, cotangent, *, rows):
    """The pullbacks of `_rows`, chunk after chunk; the image's overlap and add up."""
    height, width, taps = vertical.shape
    rows = _divisor(height, rows)
    columns = image.transpose(1, 2, 0)

    def chunk(total, arrays):
        start, down, across, part = arrays
        lines = lax.dynamic_slice_in_dim(columns, start, rows + taps - 1, axis=2)
        lines, down, across = jax.vjp(_rows, lines, down, across)[1](part)
        here = lax.dynamic_slice_in_dim(total, start, rows + taps - 1, axis=2)
        return lax.dynamic_update_slice_in_dim(total, here + lines, start, axis=2), (down, across)

    starts = jnp.arange(0, height, rows)
    chunks = (a.reshape(-1, rows, *a.shape[1:]) for a in (vertical, horizontal, cotangent))
    total, kernels = lax.scan(chunk, jnp.zeros_like(columns), (starts, *chunks))
    return total.transpose(2, 0, 1), *(k.reshape(vertical.shape) for k in kernels)


def _rows(lines, vertical, horizontal):
    """`[W + K - 1, C, R + K - 1]` and kernels `[R, W, K]` to `[R, W, C]`.

    A matrix with the horizontal kernels along its band times windows of the K lines, then the
    vertical kernels.
    """
    rows, width, taps = vertical.shape
    channels = lines.shape[1]
    block = min(BLOCK, width)
    count = -(-width // block)
    wide = ((0, 0), (0, count * block - width), (0, 0))
    stacked = jnp.stack([lines[..., row : row + taps] for row in range(rows)])
    stacked = stacked.reshape(rows, -1, channels * taps)
    windows = _banded.windows(stacked, count=count, block=block, extra=taps - 1)
    across = _banded.matrix(jnp.pad(horizontal, wide).reshape(rows, count, block, taps))
    product = jnp.matmul(across, windows, precision=lax.Precision.HIGHEST)
    product = product.reshape(rows, count * block, channels, taps)[:, :width]
    # A dot with ones: XLA would sum inside the loop that multiplies, one number after the other.
    return (product * vertical[:, :, None]) @ jnp.ones(taps, vertical.dtype)


def _divisor(size, limit):
    return max(rows for rows in range(1, limit + 1) if size % rows == 0)
