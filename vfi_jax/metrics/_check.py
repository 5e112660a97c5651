"""Argument checks shared by the metrics."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image


def pair(image: Image, reference: Image) -> tuple[Array, Array]:
    """Both images as float32.

    Raises:
      ValueError: their shapes differ.
    """
    if image.shape != reference.shape:
        raise ValueError(f"image must have reference's shape {reference.shape}, got {image.shape}")
    return jnp.asarray(image, jnp.float32), jnp.asarray(reference, jnp.float32)
