"""XLA forms of the adaptive separable convolution: functions on one example, in float32."""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array
from vfi_jax.ops import _banded, _rows

DIRECT_ROWS = 4  # rows made at once on a CPU: the sums stay in its cache
BLOCK = 32  # columns of one matrix product; measured on a CPU
# Rows whose products are made at once: the image's windows are BLOCK + K by K for every BLOCK
# pixels. A CPU has enough in one row; elsewhere many small steps would cost more than their work.
CPU_ROWS = 1
OTHER_ROWS = 16


@jax.custom_vjp
def separable_conv(image: Array, vertical: Array, horizontal: Array) -> Array:
    """`[H + K - 1, W + K - 1, C]` and kernels `[H, W, K]` to `[H, W, C]`."""
    return lax.platform_dependent(
        image,
        vertical,
        horizontal,
        cpu=functools.partial(_rows.apply, _shifts, rows=DIRECT_ROWS),
        default=functools.partial(_rows.apply, _products, rows=OTHER_ROWS),
    )


def _forward(*arrays):
    return separable_conv(*arrays), arrays


def _backward(arrays, cotangent):
    def pull(*arrays, rows):
        return _rows.pull(_products, *arrays[:-1], cotangent=arrays[-1], rows=rows)

    return lax.platform_dependent(
        *arrays,
        cotangent,
        cpu=functools.partial(pull, rows=CPU_ROWS),
        default=functools.partial(pull, rows=OTHER_ROWS),
    )


separable_conv.defvjp(_forward, _backward)


def _shifts(lines, vertical, horizontal):
    """Row of taps after row of taps, each one fused loop over shifted lines."""
    rows, width, taps = vertical.shape
    planes, down, across = (a.transpose(2, 0, 1) for a in (lines, vertical, horizontal))

    def tap(i, total):
        here = lax.dynamic_slice_in_dim(planes, i, rows, axis=1)
        return total + down[i] * sum(here[..., j : j + width] * across[j] for j in range(taps))

    total = jnp.zeros((len(planes), rows, width), lines.dtype)
    return lax.fori_loop(0, taps, tap, total).transpose(1, 2, 0)


def _products(lines, vertical, horizontal):
    """A matrix with the horizontal kernels along its band, times windows of lines; then vertical.

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
    # A dot with ones: XLA would sum inside the loop that multiplies, one number after the other.
    return (product * vertical[:, :, None]) @ jnp.ones(taps, vertical.dtype)
