"""Difference of two images, shared by the losses."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image


def difference(prediction: Image, target: Image) -> Array:
    """prediction - target in float32.

    Raises:
      ValueError: the shapes differ.
    """
    check_same_shape(prediction=prediction, target=target)
    return prediction.astype(jnp.float32) - target.astype(jnp.float32)


def check_same_shape(**arrays: Array) -> None:
    """Check that two arrays, passed by name, have the same shape.

    Raises:
      ValueError: the shapes differ.
    """
    (wanted, first), (name, second) = arrays.items()
    if first.shape != second.shape:
        raise ValueError(
            f"{name} must have the shape of {wanted}, {first.shape}, got {second.shape}"
        )
