"""Output frames computed in chunks; chunks that are done are skipped."""

import itertools
import math
from collections import deque
from collections.abc import Container, Iterable, Iterator
from fractions import Fraction
from typing import Any, Protocol

import numpy as np


class Driver(Protocol):
    """The methods of an `Interpolator` that this package uses."""

    def stream(
        self, frames: Iterable[np.ndarray], times: Iterable[Fraction]
    ) -> Iterator[np.ndarray]:
        """Frames at ascending times, in input frames."""

    def check(self, times: Iterable[Fraction]) -> None:
        """Raise a ValueError for a time that cannot be reached."""


class Chunks:
    """A driver that computes output frames in chunks of equal length, counted over all shots.

    Each chunk depends only on its own input frames. It is therefore bit-identical whether the
    previous chunk was computed in this run or skipped.

    Args:
      driver: computes the frames.
      size: output frames per chunk.
      done: numbers of the chunks to skip; None is yielded for each of their frames.
      reach: number of input frames before a time that the driver may need for it.
    """

    def __init__(self, driver: Driver, *, size: int, done: Container[int], reach: int):
        self._driver, self._size, self._done, self._reach = driver, size, done, reach
        self._count = 0

    def check(self, times: Iterable[Fraction]) -> None:
        """Check `times` as the driver does."""
        self._driver.check(times)

    def stream(self, frames: Iterable[np.ndarray], times: Iterable[Fraction]) -> Iterator[Any]:
        """Yield the frames of one shot at ascending times; None for frames of skipped chunks."""
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
        """Yield the times, and release frames that no remaining time needs."""
        for time in times:
            held.forget(math.floor(time) - self._reach)
            yield time


class Outside:
    """Numbers outside of a range, together with some of the range.

    Args:
      wanted: the range.
      done: numbers of the range that also count as outside.
    """

    def __init__(self, wanted: range, done: Container[int]):
        self._wanted, self._done = wanted, done

    def __contains__(self, number: object) -> bool:
        return number not in self._wanted or number in self._done


class _Held:
    """Buffered frames, which can be iterated several times from later and later frames on."""

    def __init__(self, frames):
        self._frames = iter(frames)
        self._first = 0  # number of the first frame held
        self._held = deque()
        self._like = None  # any frame, a placeholder for released frames

    def since(self, start):
        """Yield all frames from number 0 on; placeholders of equal shape before `start`."""
        self.forget(start)
        yield from itertools.repeat(self._like, self._first)
        for number in itertools.count(self._first):
            if number < self._first:  # released meanwhile: the driver no longer needs it
                yield self._like
                continue
            while number - self._first >= len(self._held):
                if not self._read():
                    return
            yield self._held[number - self._first]

    def forget(self, before):
        """Release all frames before a number; frames not yet read are read and dropped."""
        while self._first < before and (self._held or self._read()):
            self._like = self._held.popleft()
            self._first += 1

    def _read(self):
        frame = next(self._frames, None)
        if frame is not None:
            self._held.append(frame)
        return frame is not None
