"""What distances between images start from."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image


def difference(prediction: Image, target: Image) -> Array:
    """prediction - target in float32.

    Raises:
      ValueError: the shapes differ.
    """
    if prediction.shape != target.shape:
        raise ValueError(
            f"target must have the shape of prediction, {prediction.shape}, got {target.shape}"
        )
    return prediction.astype(jnp.float32) - target.astype(jnp.float32)
