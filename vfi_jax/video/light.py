"""Encoding of linear light for models that are trained on ordinary video."""

import weakref
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from vfi_jax.video.chunks import Driver
from vfi_jax.video.colour import HLG_A, HLG_B, HLG_C

WHITE = 12  # EXR value of HLG's light 1; an EXR value of 1, white, is then encoded as 0.5


class LinearLight:
    """A driver for frames of linear light of any range.

    Light is encoded by the curve of HLG: a square root for dark and a logarithm for bright light,
    extended without limit and, for negative light, as an odd function.

    Args:
      driver: computes the frames.
    """

    def __init__(self, driver: Driver):
        self._driver = driver

    def check(self, times: Iterable[Fraction]) -> None:
        """Check `times` as the driver does."""
        self._driver.check(times)

    def stream(
        self, frames: Iterable[np.ndarray], times: Iterable[Fraction]
    ) -> Iterator[np.ndarray]:
        """Yield frames `[H, W, 3 or 4]` float32 at ascending times; input frames are unchanged."""
        originals: dict[int, np.ndarray] = {}

        def coded():
            for frame in frames:
                code = _coloured(frame, _coded)
                originals[id(code)] = frame
                weakref.finalize(code, originals.pop, id(code))
                yield code

        for answer in self._driver.stream(coded(), times):
            original = originals.get(id(answer))
            yield _coloured(answer, _light) if original is None else original


def _coloured(frame, curve):
    """Apply a curve to the colours of a frame; alpha is unchanged."""
    return np.concatenate([curve(frame[..., :3]), frame[..., 3:]], axis=-1)


def _coded(light):
    size = np.abs(light) / np.float32(WHITE)
    bright = HLG_A * np.log(np.maximum(12 * size - HLG_B, 1 - HLG_B)) + HLG_C
    return np.copysign(np.where(size <= 1 / 12, np.sqrt(3 * size), bright), light).astype("f4")


def _light(code):
    size = np.abs(code)
    bright = (np.exp((np.maximum(size, 0.5) - HLG_C) / HLG_A) + HLG_B) / 12
    light = WHITE * np.where(size <= 0.5, size**2 / 3, bright)
    return np.copysign(light, code).astype("f4")
