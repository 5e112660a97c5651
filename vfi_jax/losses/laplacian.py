"""L1 distance of Laplacian pyramids."""

import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.losses._difference import difference


def laplacian(prediction: Image, target: Image, *, levels: int = 5) -> Array:
    """Sum of the L1 distances of all bands, so that coarse structure weighs as much as fine detail.

    sum over bands i < levels of mean |band_i(prediction) - band_i(target)|

    The remaining low-pass image is not compared: a constant offset costs nothing.

    Args:
      prediction: `[*B, H, W, C]`; H and W must allow `levels` halvings (for 5, multiples of 32 from
        64 always do).
      target: the shape of `prediction`.
      levels: number of bands.

    Returns:
      Float32 scalar; 0 where both are equal.

    Raises:
      ValueError: the shapes differ, or a side is too small for so many levels.

    Source: Niklaus and Liu 2018 (arXiv:1803.10967), with other weights; equal weights as in Huang
    et al. 2022 (RIFE).
    """
    # A pyramid is linear: the pyramid of the difference is the difference of the pyramids.
    apart = difference(prediction, target)
    try:
        *bands, _ = ops.laplacian_pyramid(apart, levels=levels)
    except ValueError as error:
        raise ValueError(f"prediction and target of {apart.shape}: {error}") from error
    return sum((jnp.abs(band).mean() for band in bands), start=jnp.float32(0))
