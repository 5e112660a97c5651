"""One pass over a clip: reads the needed frames, collects windows in batches and runs them."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from vfi_jax.contract import Contract
from vfi_jax.interpolation import invalid, levels, windows
from vfi_jax.interpolation.forward import Forward
from vfi_jax.interpolation.levels import restore, unit
from vfi_jax.interpolation.schedule import missing, rows, schedule
from vfi_jax.interpolation.windows import Place, place

MOST_TIMES = 32  # per window and call, so that memory does not grow with their number


class FrameBuffer:
    """A stream of frames that keeps only the frames still needed."""

    def __init__(self, frames: Iterable[np.ndarray], *, finite: bool = False):
        """Wrap frames `[H, W, C]` without reading yet; `finite` rejects NaN and infinity."""
        self.length: int | None = None  # known when the stream has ended
        self._frames = iter(frames)
        self._finite = finite
        self._held: dict[int, np.ndarray] = {}
        self._read = 0
        self._like: tuple[tuple[int, ...], np.dtype] | None = None

    def __getitem__(self, index: int) -> np.ndarray:
        return self._held[index]

    @property
    def dtype(self) -> np.dtype:
        """The type of the frames; at least one has been read."""
        assert self._like is not None
        return self._like[1]

    def reach(self, index: int, *, since: int) -> bool:
        """Read up to frame `index`.

        Args:
          index: the last frame needed.
          since: frames before it are not kept.

        Returns:
          False if the clip is shorter; then its length is known.

        Raises:
          ValueError: a frame is not an image, differs from the first in size or type, or is not
            finite.
        """
        while self._read <= index and self.length is None:
            frame = next(self._frames, None)
            if frame is None:
                self.length = self._read
                break
            frame = self._alike(np.asarray(frame))
            if self._read >= since:
                self._held[self._read] = frame
            self._read += 1
        return index < self._read

    def forget(self, before: int) -> None:
        """Release the frames before `before`."""
        self._held = {index: frame for index, frame in self._held.items() if index >= before}

    def _alike(self, frame):
        like = (frame.shape, frame.dtype)
        if self._like is None:
            levels.check_shape(frame.shape, "frame", "[H, W, C]")
            levels.check(frame.dtype, "frames")
            self._like = like
        if like != self._like:
            wanted, got = (f"{shape} {dtype}" for shape, dtype in (self._like, like))
            raise ValueError(f"frame {self._read} must be {wanted} like the first, got {got}")
        if self._finite:
            invalid.check(frame, f"frame {self._read}")
        return frame


class CallOutput:
    """The output of one call, `[B, T, sH, sW, C]`, computed asynchronously."""

    def __init__(self, frames: Any, dtype: np.dtype, *, exact: bool):
        """Start converting the float32 `frames` to `dtype`; `exact` also keeps the originals."""
        self._exact = frames if exact else None
        self._frames = restore(frames, dtype)
        self._dtype = dtype

    @functools.cached_property
    def frames(self) -> np.ndarray:
        """The frames in the type of the clip."""
        return np.asarray(self._frames, self._dtype)

    @functools.cached_property
    def exact(self) -> np.ndarray:
        """The frames neither clipped nor rounded, for further bisection."""
        return np.asarray(self._exact)


@dataclasses.dataclass(frozen=True)
class OutputFrame:
    """One frame of a call's output."""

    call: CallOutput
    index: int
    column: int

    def fetch(self) -> np.ndarray:
        """The frame in the type of the clip; waits for it."""
        return self.call.frames[self.index, self.column]

    def exact(self) -> np.ndarray:
        """The frame, neither clipped nor rounded; waits for it."""
        return self.call.exact[self.index, self.column]


class Streamer:
    """Computes frames of a clip at ascending times, a batch of windows at a time."""

    def __init__(self, contract: Contract, forward: Forward, clip: FrameBuffer):
        """Store the three; nothing is read or computed yet."""
        self._contract = contract
        self._forward = forward
        self._clip = clip
        self._computed: dict[Fraction, OutputFrame] = {}

    def batches(self, times: Iterable[Fraction]) -> Iterator[list[Place]]:
        """Places of ascending `times`, grouped by batch of windows."""
        batch = self._forward.batch
        places: list[Place] = []
        for time in times:
            here = self._place(time)
            requested = {known.window for known in [*places, here] if known.window}
            copied = sum(known.window is None for known in [*places, here])
            of_window = sum(known.window == here.window for known in places if here.window)
            # Input frames need no call but are kept in memory, so their number is limited too.
            if (
                len(requested) > batch
                or copied > batch * self._contract.frames
                or of_window >= MOST_TIMES
            ):
                yield places
                places = []
                self._forget(time)
            places.append(here)
        if places:
            yield places

    def answer(self, places: list[Place]) -> list[Callable[[], np.ndarray]]:
        """Start computing the frame of every place; the returned functions wait for the result."""
        requested = schedule(self._contract, places, self._clip.length, self._computed)
        for _, group in itertools.groupby(requested, key=lambda window: (window.step, window.size)):
            while batch := list(itertools.islice(group, self._forward.batch)):
                self._compute({window: requested[window] for window in batch})
        return [self._fetch(here) for here in places]

    def _fetch(self, here):
        if here.window:
            return self._computed[here.time].fetch
        return functools.partial(np.asarray, self._clip[int(here.time)])

    def _place(self, time):
        """The place of `time`, after reading every frame that it needs."""
        since = math.floor(time) - windows.reach(self._contract)
        known = False
        while not known:  # at most twice: the second time, the length is known
            here = place(self._contract, time, self._clip.length)
            needed = here.window.times(self._clip.length) if here.window else (time,)
            known = self._clip.reach(math.ceil(max(needed)), since=since)
        for finer in missing(needed, self._computed):
            self._place(finer)
        return here

    def _compute(self, requested):
        """Run one batch of windows of equal size."""
        times = rows(self._contract, requested)
        frames = np.stack([self._inputs(window) for window in requested])
        output = CallOutput(
            self._forward(frames, np.asarray(times, np.float32)),
            self._clip.dtype,
            exact=windows.halves(self._contract),
        )
        for index, (relatives, row) in enumerate(zip(requested.values(), times, strict=True)):
            for relative, time in relatives.items():
                self._computed[time] = OutputFrame(output, index, row.index(relative))

    def _inputs(self, window):
        """The frames `[N, H, W, C]` of a window: input frames, or float32 if some are bisected."""
        times = window.times(self._clip.length)
        if window.step == 1:
            return np.stack([self._clip[int(time)] for time in times])
        return np.stack([self._halved_input(time) for time in times])

    def _halved_input(self, time):
        if time.denominator > 1:
            return self._computed[time].exact()
        return unit(self._clip[int(time)])

    def _forget(self, before):
        """Release what times from `before` on cannot need."""
        self._clip.forget(math.floor(before) - windows.reach(self._contract))
        since = before - (self._contract.frames - 1) * windows.halves(self._contract)
        self._computed = {time: frame for time, frame in self._computed.items() if time >= since}
