"""Argument checks shared by the ops. Each returns the array or raises a ValueError."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from vfi_jax import lookup
from vfi_jax.arrays import Array


def image(value: Any, name: str = "image") -> Array:
    """An `[*B, H, W, C]` array of any float type.

    Raises:
      ValueError: fewer than 3 axes, no pixels, or not a float type.
    """
    return pixels(_floats(value, name), name)


def pixels(value: Any, name: str) -> Array:
    """An `[*B, H, W, C]` array of any type.

    Raises:
      ValueError: fewer than 3 axes, or no pixels.
    """
    array = jnp.asarray(value)
    if array.ndim < 3 or 0 in array.shape[-3:-1]:
        raise ValueError(f"{name} must be [*B, H, W, C] with at least one pixel, got {array.shape}")
    return array


def flow(value: Any, name: str = "flow", *, fit: Array | None = None, to: str = "image") -> Array:
    """An `[*B, H, W, 2]` array of float32 or float64, with the size of `fit` if given.

    Raises:
      ValueError: wrong shape or type.
    """
    array = jnp.asarray(value)
    if array.ndim < 3 or array.shape[-1] != 2 or 0 in array.shape[-3:-1]:
        raise ValueError(f"{name} must be [*B, H, W, 2] with at least one pixel, got {array.shape}")
    if fit is not None:
        shaped(array, (*fit.shape[:-1], 2), name, to=to)
    if array.dtype not in (jnp.float32, jnp.float64):
        raise ValueError(
            f"{name} must be float32 (narrower types lose precision), got {array.dtype}; "
            "cast it with astype"
        )
    return array


def plane(value: Any, name: str, *, fit: Array, to: str) -> Array:
    """A float `[*B, H, W, 1]` array with the size of `fit`.

    Raises:
      ValueError: wrong shape, or not a float type.
    """
    return shaped(_floats(value, name), (*fit.shape[:-1], 1), name, to=to)


def shaped(array: Array, shape: tuple[int, ...], name: str, *, to: str) -> Array:
    """`array`, after checking that it has exactly this shape.

    Raises:
      ValueError: it has another shape.
    """
    if array.shape != tuple(shape):
        raise ValueError(f"{name} must be {tuple(shape)} to fit {to}, got {array.shape}")
    return array


def one_of(value: str, known: tuple[str, ...], name: str) -> None:
    """Check that `value` is in `known`.

    Raises:
      ValueError: it is not; the message suggests the closest names.
    """
    if value not in known:
        raise ValueError(lookup.unknown(name, value, known))


def whole(value: int, name: str, *, least: int = 1) -> int:
    """`value`, after checking that it is an integer of at least `least`.

    Raises:
      ValueError: it is smaller, or not an integer.
    """
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value}")
    return int(value)


def _floats(value, name):
    array = jnp.asarray(value)
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise ValueError(f"{name} must be of a float type, got {array.dtype}; cast it with astype")
    return array
