"""Distances between images, band by band of their Laplacian pyramids."""

import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.losses._difference import difference


def laplacian(prediction: Image, target: Image, *, levels: int = 5) -> Array:
    """The L1 distance of all bands alike, so that coarse structure weighs as much as fine.

    sum over bands i < levels of mean |band_i(prediction) - band_i(target)|

    The low-pass image that remains is not compared: a constant offset costs nothing.

    Args:
      prediction: `[*B, H, W, C]`; H and W survive `levels` halvings (multiples of 32 and at least
        64, say, for 5).
      target: the shape of `prediction`.
      levels: bands.

    Returns:
      Float32 scalar; 0 where both are equal.

    Raises:
      ValueError: the shapes differ, or a side is too small for so many levels.

    Source: Niklaus and Liu 2018 (arXiv:1803.10967), weighted otherwise; as here in Huang et al.
    2022 (RIFE).
    """
    # A pyramid is linear: that of the difference is the difference of both.
    apart = difference(prediction, target)
    try:
        *bands, _ = ops.laplacian_pyramid(apart, levels=levels)
    except ValueError as error:
        raise ValueError(f"prediction and target of {apart.shape}: {error}") from error
    return sum((jnp.abs(band).mean() for band in bands), start=jnp.float32(0))
