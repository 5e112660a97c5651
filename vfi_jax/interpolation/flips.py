"""Self-ensembles: the mean of a model's answers to the frames and to their mirror images."""

from collections.abc import Callable
from typing import Any

from vfi_jax import lookup
from vfi_jax.arrays import FLIPS


def check(ensemble: str) -> None:
    """Does nothing for the name of an ensemble.

    Raises:
      ValueError: there is no such ensemble.
    """
    if ensemble not in FLIPS:
        raise ValueError(lookup.unknown("ensemble", ensemble, FLIPS))


def mean_answer(answer: Callable[[Any], Any], frames: Any, ensemble: str) -> Any:
    """The mean of `answer(frames)` over the ensemble's flips, each flipped back.

    Args:
      answer: from `[*B, H, W, C]` to `[*B', sH, sW, C']`.
      frames: NumPy or JAX array.
      ensemble: a name in `FLIPS`.
    """
    flips = FLIPS[ensemble]
    total = 0
    for axes in flips:
        # An index and no function: the same for NumPy and JAX, and NumPy copies nothing.
        flipped = (..., *(slice(None, None, -1 if axis in axes else 1) for axis in (-3, -2, -1)))
        total += answer(frames[flipped])[flipped] if axes else answer(frames)
    return total / len(flips) if len(flips) > 1 else total
