"""NaN and infinite pixels: filled for the model, returned as NaN.

All functions accept NumPy and JAX arrays.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import lookup

INVALID = ("error", "mask")


def check_option(invalid: str, known: tuple[str, ...]) -> None:
    """Check the value of the option `invalid`.

    Raises:
      ValueError: the value is unknown.
    """
    if invalid not in known:
        raise ValueError(lookup.unknown("value of invalid", invalid, known))


def check(frame: Any, name: str) -> None:
    """Check that all pixels of a frame are finite.

    Raises:
      ValueError: some pixels are not finite.
    """
    if not jnp.issubdtype(frame.dtype, jnp.floating):
        return
    count = int((~_numpy(frame).isfinite(frame)).any(axis=-1).sum())
    if count:
        raise ValueError(
            f"{name} must be finite, got {count} pixels that are NaN or infinite; "
            'invalid="mask" fills them and returns NaN there'
        )


def fill(frames: Any) -> tuple[Any, Any]:
    """Windows with invalid values filled, and a mask of where they were.

    An invalid value becomes the mean of the window's valid values at the same pixel, or if there
    are none, of all valid values in the window.

    Args:
      frames: `[*B, N, H, W, C]` float32.

    Returns:
      The filled frames, and a mask `[*B, 1, H, W, 1]`, true where any frame of the window had an
      invalid value.
    """
    numpy = _numpy(frames)
    valid = numpy.isfinite(frames)
    known = numpy.where(valid, frames, 0)
    fills = numpy.zeros_like(frames[..., :1, :1, :1, :])
    for axes in ((-4, -3, -2), (-4,)):
        count = valid.sum(axis=axes, keepdims=True)
        mean = known.sum(axis=axes, keepdims=True) / numpy.maximum(count, 1).astype(frames.dtype)
        fills = numpy.where(count > 0, mean, fills)
    return numpy.where(valid, known, fills), ~valid.all(axis=(-4, -1), keepdims=True)


def blank(answers: Any, where: Any, *, scale: int) -> Any:
    """Predictions `[*B, T, sH, sW, C]` with NaN where `where` `[*B, 1, H, W, 1]` is true."""
    numpy = _numpy(answers)
    where = where.repeat(scale, axis=-3).repeat(scale, axis=-2)
    return numpy.where(where, numpy.asarray(np.nan, answers.dtype), answers)


def _numpy(array) -> Any:
    return jnp if isinstance(array, jax.Array) else np
