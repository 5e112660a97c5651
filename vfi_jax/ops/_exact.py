"""Bit-reproducible float32 sums: the summands are converted to integers, so order is irrelevant."""

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array
from vfi_jax.ops import _grid

PRECISION = 28  # bits kept below the largest summand of a pixel; a float32 has 24
SMALLEST, LARGEST = -100, 126  # exponents; 2 ** -100 counts as zero, 2 ** 126 as not finite


@jax.custom_jvp
def spread(image: Array, flow: Array) -> Array:
    """`_grid.spread` of a float32 image, bit-equal for any order of summation on any platform.

    Every summand is split into integers, scaled by the largest summand of the same pixel and
    channel; integer sums are exact. NaN where a summand is not finite.
    """
    height, width, _ = image.shape
    pixels = _grid.rows(image)
    landing = _grid.landings(flow)
    # Up to H * W summands of `bits` bits each are added; the sum must fit in 31 bits.
    bits = 30 - (height * width - 1).bit_length()

    def widen(corner, peak):
        index, weight = landing(corner)
        return peak.at[index].max(_exponent(_grid.scale(pixels, weight)), mode="drop")

    peak = lax.fori_loop(0, 4, widen, jnp.full_like(pixels, SMALLEST, jnp.int32))

    def add_digits(number, total):
        def add_corner(corner, digits):
            index, weight = landing(corner)
            part = _grid.scale(pixels, weight) * _power(-peak.at[index].get(mode="clip"))
            return _grid.add(digits, index, _digit(part, number, bits))

        digits = lax.fori_loop(0, 4, add_corner, jnp.zeros_like(peak))
        return total + digits.astype(jnp.float32) * _power(-bits * (number + 1))

    count = -(-PRECISION // bits)
    total = lax.fori_loop(0, count, add_digits, jnp.zeros_like(pixels))
    out = jnp.where(peak > LARGEST, jnp.nan, total * _power(peak))
    return out.reshape(image.shape)


@spread.defjvp
def _spread_jvp(primals, tangents):
    return spread(*primals), jax.jvp(_grid.spread, primals, tangents)[1]


def _exponent(value):
    """The least e with |value| < 2 ** e; SMALLEST for 0, above LARGEST if not finite."""
    return ((lax.bitcast_convert_type(value, jnp.int32) >> 23) & 255) - 126


def _digit(part, number, bits):
    """Digit `number` after the point of |part| < 1 in base 2 ** bits, rounded."""
    # Products with powers of two and differences of close values: no operation here rounds.
    through = jnp.round(part * _power(bits * (number + 1)))
    before = jnp.where(number > 0, jnp.round(part * _power(bits * number)), 0)
    return (through - before * 2.0**bits).astype(jnp.int32)


def _power(exponent):
    """2 ** exponent, exactly."""
    biased = jnp.clip(exponent, -126, 127) + 127
    return lax.bitcast_convert_type(jnp.int32(biased << 23), jnp.float32)
