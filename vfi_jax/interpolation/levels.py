"""Pixel types of frames: integers use their full range, floats have black at 0 and white at 1."""

import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

LEVELS = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}  # white
CHANNELS = (1, 3, 4)  # of grey, RGB and RGBA
LEAST_WIDTH = 16  # of frames that have their channels first


def array(frames: Any, name: str, convert: Callable[[Any], Any]) -> Any:
    """Frames, or a list of them, as one array.

    Args:
      frames: anything that `convert` accepts.
      name: name of the argument in errors.
      convert: `np.asarray` or `jnp.asarray`.

    Raises:
      ValueError: `frames` is a path, or frames of a list differ in shape.
    """
    if isinstance(frames, (str, os.PathLike)):
        raise ValueError(
            f"{name} must be an array, got {os.fspath(frames)!r}; vfi_jax.interpolate_video "
            "reads files"
        )
    if isinstance(frames, (list, tuple)):
        shapes = list(dict.fromkeys(map(np.shape, frames)))
        if len(shapes) > 1:
            raise ValueError(f"{name} must have equal shapes, got {shapes[0]} and {shapes[1]}")
    return convert(frames)


def check_shape(shape: tuple[int, ...], name: str, layout: str) -> None:
    """Check the shape of frames.

    Args:
      shape: their shape.
      name: name of the argument in errors.
      layout: the expected axes, such as "[N, H, W, C]"; "*B" stands for any number of axes.

    Raises:
      ValueError: there are other axes, one is empty, or channels come before height and width.
    """
    axes = layout.strip("[]").split(", ")
    if axes[0] == "*B":
        del axes[0]
        shape_fits = len(shape) >= len(axes)
    else:
        shape_fits = len(shape) == len(axes)
    if not shape_fits or 0 in shape[-len(axes) :]:
        raise ValueError(f"{name} must be {layout} without empty axes, got {shape}")
    # Each channel after the third is another run of the model, so PyTorch's layout takes forever.
    if shape[-3] in CHANNELS and shape[-1] >= LEAST_WIDTH:
        raise ValueError(
            f"{name} must be {layout}, got {shape}; np.moveaxis({name}, -3, -1) moves channels to "
            "the end"
        )


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
