"""Types of frames: integers are levels from black to white, floats have black at 0, white at 1."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

LEVELS = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}  # white


def check(dtype: np.dtype, name: str) -> None:
    """Does nothing for a type that frames can have.

    Raises:
      ValueError: it is another.
    """
    if dtype not in LEVELS and not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(f"{name} must be uint8, uint16 or float, got {dtype}")


def unit(frames: Any) -> Any:
    """Frames of any type as float32, black 0 and white 1.

    Args:
      frames: NumPy or JAX array of uint8, uint16 or floats.
    """
    return (_unit_on_device if isinstance(frames, jax.Array) else _unit)(frames)


def restore(frames: Any, dtype: np.dtype) -> Any:
    """float32 frames as `unit` took them from integers: clipped and rounded half to even.

    Args:
      frames: NumPy or JAX array.
      dtype: uint8 or uint16; frames of floats are returned as they are.
    """
    if dtype not in LEVELS:
        return frames
    return (_restore_on_device if isinstance(frames, jax.Array) else _restore)(frames, dtype)


def typed(frames: Any, dtype: np.dtype) -> Any:
    """float32 frames in a type that frames can have; integers as `restore` makes them."""
    return restore(frames, dtype).astype(dtype)


def _unit(frames):
    levels = LEVELS.get(frames.dtype)
    frames = frames.astype(np.float32)
    return frames if levels is None else frames / np.float32(levels)


def _restore(frames, dtype):
    return (frames.clip(0, 1) * np.float32(LEVELS[dtype])).round().astype(dtype)


# Compiled, one pass over the frames is enough.
_unit_on_device = jax.jit(_unit)
_restore_on_device = jax.jit(_restore, static_argnames="dtype")
