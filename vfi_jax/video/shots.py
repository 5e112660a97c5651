"""From input frames to output frames, shot by shot: frames are not interpolated across cuts."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from vfi_jax.video import similarity
from vfi_jax.video.chunks import Driver
from vfi_jax.video.exposure import exposed
from vfi_jax.video.source import Frame
from vfi_jax.video.timing import Schedule, TimeSample

HALVINGS = (16, 2)  # divisions of a gap that models of the midpoint reach, finest first


class Shots:
    """The frames of a video at the times of a schedule.

    Each shot is a separate clip for the driver. Between the last frame of a shot and the first
    frame of the next shot, the earlier frame is repeated. So it is between two equal frames: no
    model reproduces its input exactly, and a still picture must not flicker.

    An output frame with several samples is their weighted mean in linear light; samples before the
    first frame of a shot and after its last frame are ignored.

    In an uneven gap the driver may not reach an output time. It then shows a frame of the nearest
    time that it reaches.

    Args:
      frames: the source's frames.
      driver: computes frames between input frames.
      schedule: times of the output frames.
      threshold: change between two frames, 0 to 1, above which a shot ends; 1: never.
      transfer: FFmpeg's code of the transfer function.
      loop: also interpolate from the last frame to the first, which follows it in a loop.

    Attributes:
      frames_in: number of frames read so far.
      cuts: number of cuts found so far.
      moved: number of samples so far whose time was moved to one that the driver reaches.
      span: seconds from the first frame to the end of the last frame read so far.
    """

    def __init__(
        self,
        frames: Iterable[Frame],
        driver: Driver,
        schedule: Schedule,
        *,
        threshold: float,
        transfer: int,
        loop: bool = False,
    ):
        self.frames_in = self.cuts = self.moved = 0
        self.span = Fraction(0)
        self._frames = iter(frames)
        self._driver, self._schedule, self._threshold = driver, schedule, threshold
        self._transfer, self._loop = transfer, loop
        self._opening: Frame | None = None  # first frame of the source; a loop ends with it
        self._origin = Fraction(0)

    def __iter__(self) -> Iterator[Frame]:
        first = self.read()
        if first is None:
            return
        self._origin, before = first.time, None
        while first is not None:
            shot = _Shot(self, first)
            for time, pixels in self._exposures(shot):
                if before is not None:
                    yield Frame(before[0], before[1], time - before[1])
                before = pixels, time
            first = shot.following
        # In a loop, the repeated first frame belongs to the next round.
        if before is not None and before[1] < self._origin + self.span:
            yield Frame(before[0], before[1], self._origin + self.span - before[1])

    def _exposures(self, shot):
        """Yield the output frames of a shot, with their times."""
        stream = self._driver.stream(shot.pixels(), shot.times())
        samples = ((shot.requested.popleft(), pixels) for pixels in stream)
        for time, group in itertools.groupby(samples, key=lambda sample: sample[0].shown):
            pixels = exposed(((pixels, sample.weight) for sample, pixels in group), self._transfer)
            if shot.shows(time):
                yield time, pixels

    def read(self) -> Frame | None:
        """Read the next frame of the source; None at the end."""
        frame = next(self._frames, None)
        if frame is not None:
            if self._opening is None:
                self._opening, self._origin = frame, frame.time
            self.frames_in += 1
            self.span = frame.time + frame.duration - self._origin
        elif self._loop and self._opening and self.frames_in > 1:
            frame = Frame(self._opening.pixels, self._origin + self.span, Fraction(0))
            self._loop = False
        return frame

    def is_cut(self, thumbnail0: np.ndarray, thumbnail1: np.ndarray) -> bool:
        """Whether a shot ends between two frames."""
        cut = similarity.change(thumbnail0, thumbnail1) > self._threshold
        self.cuts += cut
        return cut

    def reached(self, part: Fraction) -> Fraction:
        """The part of a gap nearest to `part` that the driver reaches."""
        near = (Fraction(round(part * n), n) for n in HALVINGS)
        nearest = next(filter(self._reaches, (part, *near)), part)
        self.moved += nearest != part
        return nearest

    def _reaches(self, time):
        try:
            self._driver.check([time])
        except ValueError:
            return False
        return True

    def samples(self, start: Fraction, stop: Fraction) -> list[TimeSample]:
        """Samples from an input frame at `start` to before the next one, at `stop`."""
        return self._schedule.samples(start, stop, self._origin)

    def held(self, start: Fraction, stop: Fraction | None) -> list[TimeSample]:
        """One sample per output frame from the last frame of a shot, at `start`, to before the
        first of the next shot, at `stop`; None: there is no next shot."""
        if stop is None:
            times = self._schedule.at_end(start, self._origin)
        else:
            times = self._schedule.between(start, stop, self._origin)
        return [TimeSample(time, time, 1.0) for time in times]


class _Shot:
    """One shot, read when the driver needs its frames and times.

    Attributes:
      requested: samples requested from the driver and not yet received.
      following: first frame of the next shot, once this shot has ended.
    """

    def __init__(self, shots: Shots, first: Frame):
        self.requested: deque[TimeSample] = deque()
        self.following: Frame | None = None
        self._shots, self._ended = shots, False
        self._first_time = self._last_time = first.time
        self._last, self._thumbnail = first.pixels, similarity.thumbnail(first.pixels)
        self._repeats: deque[bool] = deque()
        self._waiting = deque([first.pixels])
        self._moments = deque([first.time])

    def pixels(self):
        """Yield the frames."""
        while self._waiting or self._read():
            yield self._waiting.popleft()

    def times(self):
        """Yield the times to request, in frames of the shot; add the samples to `requested`."""
        last = Fraction(0)
        for index in itertools.count():
            start = self._moments.popleft()
            if not self._moments and not self._read():
                break
            stop, still = self._moments[0], self._repeats.popleft()
            for sample in self._shots.samples(start, stop):
                if sample.shown < self._first_time:
                    continue  # the shutter opened before the cut
                part = Fraction(0) if still else (sample.time - start) / (stop - start)
                # A time moved to a reachable one must not precede the time before it.
                last = max(last, index + self._shots.reached(part))
                self.requested.append(sample)
                yield last
        for sample in self._shots.held(start, self.following and self.following.time):
            self.requested.append(sample)
            yield Fraction(index)

    def shows(self, time: Fraction) -> bool:
        """Whether an output time belongs to this shot, as far as it has been read."""
        if self.following:
            return time < self.following.time
        return not self._ended or time <= self._last_time

    def _read(self):
        frame = None if self._ended else self._shots.read()
        if frame is None:
            self._ended = True
            return False
        thumbnail = similarity.thumbnail(frame.pixels)
        if self._shots.is_cut(self._thumbnail, thumbnail):
            self._ended, self.following = True, frame
            return False
        self._repeats.append(similarity.is_repeat(self._last, frame.pixels))
        self._last, self._thumbnail, self._last_time = frame.pixels, thumbnail, frame.time
        self._waiting.append(frame.pixels)
        self._moments.append(frame.time)
        return True
