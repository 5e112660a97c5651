"""Frames as a camera takes them: light that adds up while the shutter is open."""

import itertools
from collections.abc import Iterable

import numpy as np

GAMMA = 2.2  # of a display, from a sample's value to its light


def exposed(frames: Iterable[np.ndarray]) -> np.ndarray:
    """The mean of frames in light; a single one as it is.

    What is transparent gives as much light as is seen of it.

    Args:
      frames: at least one, `[H, W, 3 or 4]` uint8 or uint16, all alike; read one by one.
    """
    frames = iter(frames)
    first, second = next(frames), next(frames, None)
    if second is None:
        return first
    light, count = _light(first), 1
    for frame in itertools.chain([second], frames):
        light += _light(frame)
        count += 1
    return _picture(light / count, first.dtype)


def _light(frame):
    """Light of three colours, of as much as is seen of them, and how much that is."""
    most = np.iinfo(frame.dtype).max
    values = np.linspace(0, 1, most + 1, dtype=np.float32)
    colours = np.take(values**GAMMA, frame[..., :3])
    seen = np.take(values, frame[..., 3:])
    return np.concatenate([colours * seen, seen], axis=-1) if seen.size else colours


def _picture(light, dtype):
    most = np.iinfo(dtype).max
    colours, seen = light[..., :3], light[..., 3:]
    if seen.size:
        colours = colours / np.maximum(seen, 1 / most**2)
    values = np.concatenate([colours ** (1 / GAMMA), seen], axis=-1)
    return np.rint(np.clip(values, 0, 1) * most).astype(dtype)
