"""Sums of float32 whose bits do not depend on their order: they are summed as integers."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array
from vfi_jax.ops import _grid

PRECISION = 28  # bits kept below the largest summand of a pixel; float32 has 24
SMALLEST = -100  # exponents: what is below 2 ** -100 counts as nothing
LARGEST = 126


@functools.partial(jax.custom_jvp, nondiff_argnums=(3, 4))
def spread(values: Sequence[Array], left: Array, top: Array, height: int, width: int) -> Array:
    """`_grid.spread` of float32, bit-equal in any order of summation and on any platform.

    Every summand is cut into integers relative to the largest that lands on the same pixel and
    channel; sums of integers have no rounding. NaN where a summand is not finite.

    Source: the idea of a superaccumulator, Collange et al. 2015 (arXiv:1511.02354... sec. 3).
    """
    places = _grid.places(left, top, height=height, width=width)
    peak = _peak(values, places, height * width)
    # An integer of `bits` bits from each of as many as H * W pixels must fit in 31.
    bits = 30 - (height * width - 1).bit_length()
    total = jnp.zeros_like(peak, jnp.float32)
    rest = [
        value * _power(-peak.at[index].get(mode="clip"))
        for value, index in zip(values, places, strict=True)
    ]
    for digit in range(1, -(-PRECISION // bits) + 1):
        rest = [value * 2.0**bits for value in rest]
        whole = [jnp.round(value) for value in rest]
        rest = [value - part for value, part in zip(rest, whole, strict=True)]
        whole = [part.astype(jnp.int32) for part in whole]
        digits = _grid.spread(whole, left, top, height=height, width=width)
        total += digits.reshape(total.shape).astype(jnp.float32) * 2.0 ** (-bits * digit)
    out = jnp.where(peak > LARGEST, jnp.nan, total * _power(peak))
    return out.reshape(height, width, -1)


@spread.defjvp
def _spread_jvp(height, width, primals, tangents):
    values, left, top = primals
    tangent = _grid.spread(tangents[0], left, top, height=height, width=width)
    return spread(values, left, top, height, width), tangent


def _peak(values, places, count):
    """The least e `[count, C]` with |value| < 2 ** e for all that lands on a pixel."""
    peak = jnp.full((count, values[0].shape[-1]), SMALLEST, jnp.int32)
    for value, index in zip(values, places, strict=True):
        exponent = (lax.bitcast_convert_type(value, jnp.int32) >> 23) & 255
        peak = peak.at[index].max(exponent - 126, mode="drop")
    return peak


def _power(exponent):
    """2 ** exponent, exactly."""
    biased = jnp.clip(exponent, -126, 127) + 127
    return lax.bitcast_convert_type(biased << 23, jnp.float32)
