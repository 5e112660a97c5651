"""Peak signal-to-noise ratio."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image


def psnr(image: Image, reference: Image, *, peak: float = 1.0) -> Array:
    """10 log10(peak^2 / mean squared error over pixels and channels), in dB.

    Args:
      image: `[*B, H, W, C]`, any real type.
      reference: the same shape.
      peak: the largest value a pixel can have: 1 for [0, 1], 255 for 8 bit.

    Returns:
      float32 `[*B]`; infinite where the two are equal.

    Raises:
      ValueError: the shapes differ.

    Source: the field's definition; one mean over all three channels.
    """
    if image.shape != reference.shape:
        raise ValueError(f"image must have reference's shape {reference.shape}, got {image.shape}")
    error = image.astype(jnp.float32) - reference.astype(jnp.float32)
    return 10 * jnp.log10(peak**2 / jnp.mean(jnp.square(error), axis=(-3, -2, -1)))
