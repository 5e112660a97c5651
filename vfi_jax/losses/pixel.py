"""Pixel-wise distances between images."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.losses._difference import difference


def l1(prediction: Image, target: Image) -> Array:
    """Mean absolute difference.

    mean |prediction - target|

    Args:
      prediction: `[*B, H, W, C]`.
      target: the shape of `prediction`.

    Returns:
      Float32 scalar; 0 where both are equal.

    Raises:
      ValueError: the shapes differ.

    Source: as in Niklaus et al. 2017 (SepConv), its colour loss.
    """
    return jnp.abs(difference(prediction, target)).mean()


def charbonnier(prediction: Image, target: Image, *, eps: float = 1e-3) -> Array:
    """Smooth L1 distance (Charbonnier).

    mean sqrt((prediction - target)^2 + eps^2)

    `eps` is in units of the images and is squared here; for code that adds an unsquared epsilon,
    sqrt(d^2 + epsilon), pass eps = sqrt(epsilon).

    Args:
      prediction: `[*B, H, W, C]`.
      target: the shape of `prediction`.
      eps: difference below which the loss is nearly quadratic.

    Returns:
      Float32 scalar; `eps` where both are equal.

    Raises:
      ValueError: the shapes differ.

    Source: Charbonnier et al. 1994.
    """
    return jnp.sqrt(jnp.square(difference(prediction, target)) + eps**2).mean()
