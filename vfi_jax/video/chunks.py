"""Output frames computed in chunks, of which those that are done are left out."""

import itertools
import math
from collections import deque
from collections.abc import Container, Iterable, Iterator
from fractions import Fraction
from typing import Any, Protocol

import numpy as np


class Driver(Protocol):
    """What of an `Interpolator` is used here."""

    def stream(
        self, frames: Iterable[np.ndarray], times: Iterable[Fraction]
    ) -> Iterator[np.ndarray]:
        """Frames at ascending times, in input frames."""

    def check(self, times: Iterable[Fraction]) -> None:
        """Raises ValueError for a time that cannot be reached."""


class Chunks:
    """A driver whose output frames are computed in chunks of equal length, counted over all shots.

    Each chunk is computed from its own input frames alone, so that it is the same to the last bit
    whether the chunk before it was computed in this run or is left out.

    Args:
      driver: computes frames.
      size: output frames of a chunk.
      done: numbers of the chunks to leave out; None is yielded for their frames.
      reach: input frames before a time that the driver may need for it.
    """

    def __init__(self, driver: Driver, *, size: int, done: Container[int], reach: int):
        self._driver, self._size, self._done, self._reach = driver, size, done, reach
        self._count = 0

    def check(self, times: Iterable[Fraction]) -> None:
        """As the driver's."""
        self._driver.check(times)

    def stream(self, frames: Iterable[np.ndarray], times: Iterable[Fraction]) -> Iterator[Any]:
        """Frames of one shot at ascending times; None where a chunk is left out."""
        times = iter(times)
        held = _Held(frames)
        for first in times:
            number, place = divmod(self._count, self._size)
            chunk = itertools.chain([first], itertools.islice(times, self._size - place - 1))
            start = max(math.floor(first) - self._reach, 0)
            if number in self._done:
                answers: Iterator[Any] = (None for _ in self._passing(chunk, held))
            else:
                answers = self._driver.stream(held.since(start), self._passing(chunk, held))
            for answer in answers:
                self._count += 1
                yield answer

    def _passing(self, times, held):
        """The times; frames that neither they nor later ones need are let go."""
        for time in times:
            held.forget(math.floor(time) - self._reach)
            yield time


class _Held:
    """Frames that may be read again from a later one on."""

    def __init__(self, frames):
        self._frames = iter(frames)
        self._first = 0  # number of the first frame held
        self._held = deque()
        self._like = None  # any frame, in place of those that are gone

    def since(self, start):
        """All frames from number 0 on; those before `start` are stand-ins of the same shape."""
        self.forget(start)
        yield from itertools.repeat(self._like, self._first)
        for number in itertools.count(self._first):
            if number < self._first:  # let go in the meantime: the driver has read past it
                yield self._like
                continue
            while number - self._first >= len(self._held):
                if not self._read():
                    return
            yield self._held[number - self._first]

    def forget(self, before):
        """Let go of frames before a number; those not read yet are read and passed over."""
        while self._first < before and (self._held or self._read()):
            self._like = self._held.popleft()
            self._first += 1

    def _read(self):
        frame = next(self._frames, None)
        if frame is not None:
            self._held.append(frame)
        return frame is not None
