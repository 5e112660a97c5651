"""XLA forms of the adaptive separable convolution: functions on one example, in float32."""

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array
from vfi_jax.ops import _banded, _rows

BLOCK = 32  # columns of one matrix product; measured on a CPU
CPU_PIXELS = (
    1024  # pixels whose kernels and sums stay in a CPU's cache; with twice as many it loses
)
OTHER_ROWS = 16  # rows whose windows, BLOCK + K - 1 by K for every BLOCK pixels, are in memory


def separable_conv(image: Array, vertical: Array, horizontal: Array) -> Array:
    """`[H + K - 1, W + K - 1, C]` and kernels `[H, W, K]` to `[H, W, C]`."""
    rows = max(1, CPU_PIXELS // vertical.shape[1])
    plan = _rows.Plan(_products, _shifts, cpu_rows=rows, cpu_gradient_rows=1, rows=OTHER_ROWS)
    return _rows.run(plan, image, vertical, horizontal)


def _shifts(lines, vertical, horizontal):
    """One fused loop over shifted lines per row of taps."""
    rows, width, taps = vertical.shape
    planes, down, across = (a.transpose(2, 0, 1) for a in (lines, vertical, horizontal))

    def tap(i, total):
        here = lax.dynamic_slice_in_dim(planes, i, rows, axis=1)
        along = sum(here[..., j : j + width] * across[j : j + 1] for j in range(taps))
        return total + down[i][None] * along

    total = jnp.zeros_like(lines, shape=(len(planes), rows, width))
    return lax.fori_loop(0, taps, tap, total).transpose(1, 2, 0)


def _products(lines, vertical, horizontal):
    """Banded matrices of the horizontal kernels times windows of lines, then the vertical kernels.

    Takes `[R + K - 1, W + K - 1, C]` and kernels `[R, W, K]`, gives `[R, W, C]`.
    """
    rows, width, taps = vertical.shape
    channels = lines.shape[-1]
    block = min(BLOCK, width)
    count = -(-width // block)
    columns = lines.transpose(1, 2, 0)
    stacked = jnp.stack([columns[..., row : row + taps] for row in range(rows)])
    stacked = stacked.reshape(rows, -1, channels * taps)
    windows = _banded.windows(stacked, count=count, block=block, extra=taps - 1)
    wide = ((0, 0), (0, count * block - width), (0, 0))
    across = _banded.matrix(jnp.pad(horizontal, wide).reshape(rows, count, block, taps))
    product = jnp.matmul(across, windows, precision=lax.Precision.HIGHEST)
    product = product.reshape(rows, count * block, channels, taps)[:, :width]
    # A dot product with ones: a plain sum would run as a scalar loop fused with the product.
    return (product * vertical[:, :, None]) @ jnp.ones(taps, vertical.dtype)
