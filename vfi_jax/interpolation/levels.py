"""Pixel types of frames: integers use their full range, floats have black at 0 and white at 1."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

LEVELS = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}  # white


def check(dtype: np.dtype, name: str) -> None:
    """Check that `dtype` is allowed for frames.

    Raises:
      ValueError: it is not.
    """
    if dtype not in LEVELS and not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(f"{name} must be uint8, uint16 or float, got {dtype}")


def unit(frames: Any) -> Any:
    """Frames of any type as float32 with black 0 and white 1.

    Args:
      frames: NumPy or JAX array of uint8, uint16 or floats.
    """
    return (_unit_on_device if isinstance(frames, jax.Array) else _unit)(frames)


def restore(frames: Any, dtype: np.dtype) -> Any:
    """Converts float32 frames back to integers: the inverse of `unit`, clipped and rounded to even.

    Args:
      frames: NumPy or JAX array.
      dtype: uint8 or uint16; for float types frames are returned unchanged.
    """
    if dtype not in LEVELS:
        return frames
    return (_restore_on_device if isinstance(frames, jax.Array) else _restore)(frames, dtype)


def typed(frames: Any, dtype: np.dtype) -> Any:
    """float32 frames converted to an allowed type; integers as in `restore`."""
    return restore(frames, dtype).astype(dtype)


def _unit(frames):
    levels = LEVELS.get(frames.dtype)
    frames = frames.astype(np.float32)
    return frames if levels is None else frames / np.float32(levels)


def _restore(frames, dtype):
    return (frames.clip(0, 1) * np.float32(LEVELS[dtype])).round().astype(dtype)


# Compiled into one pass over the frames.
_unit_on_device = jax.jit(_unit)
_restore_on_device = jax.jit(_restore, static_argnames="dtype")
