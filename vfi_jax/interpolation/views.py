"""The views of a window on which a model runs: RGB, further channels as grey, flips.

All functions accept NumPy and JAX arrays.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import lookup
from vfi_jax.arrays import FLIPS

Answer = Callable[[Any], Any]  # from `[*B, H, W, 3]` to `[*B', sH, sW, 3]`


def check(ensemble: str) -> None:
    """Check the name of an ensemble.

    Raises:
      ValueError: the name is unknown.
    """
    if ensemble not in FLIPS:
        raise ValueError(lookup.unknown("ensemble", ensemble, FLIPS))


def all_channels(answer: Answer, frames: Any, *, carried: bool = False) -> Any:
    """Apply `answer` to frames with any number of channels.

    Args:
      answer: function of RGB frames, or with `carried` of all channels.
      frames: `[*B, H, W, C]`; the first three channels are RGB. Each further channel, or each one
        if there are fewer, passes through `answer` separately as grey.
      carried: all channels pass at once: those past the third are carried by the flow.
    """
    if carried:
        return answer(frames)
    numpy: Any = jnp if isinstance(frames, jax.Array) else np
    coloured = 3 if frames.shape[-1] >= 3 else 0
    parts = [answer(frames[..., :3])] if coloured else []
    for channel in range(coloured, frames.shape[-1]):
        grey = numpy.repeat(frames[..., channel, None], 3, axis=-1)
        parts.append(answer(grey).mean(-1, keepdims=True))
    return parts[0] if len(parts) == 1 else numpy.concatenate(parts, axis=-1)


def all_flips(answer: Answer, frames: Any, ensemble: str) -> Any:
    """The mean of `answer(frames)` over the ensemble's flips, each flipped back.

    Args:
      answer: function of frames.
      frames: `[*B, H, W, C]`.
      ensemble: a name in `FLIPS`.
    """
    flips = FLIPS[ensemble]
    total = 0
    for axes in flips:
        flipped = (..., *(slice(None, None, -1 if axis in axes else 1) for axis in (-3, -2, -1)))
        total += answer(frames[flipped])[flipped] if axes else answer(frames)
    return total / len(flips) if len(flips) > 1 else total
