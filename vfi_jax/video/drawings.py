"""Removal of repeated frames: held drawings of animation, and pulldown."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from vfi_jax.video import similarity
from vfi_jax.video.source import Frame

LONGEST = Fraction(17, 100)  # maximum of a hold in seconds: four frames at 23.976 frames/s
CODING = 5 / 255  # maximum change of a block's mean by coding noise in a held drawing
COARSE = 12 / 255  # the same where coding is coarse, after a change `FAR` times as large
FAR = 5
CONTRAST = 3  # from one frame to the next, the change of a pan or fade at most doubles
LONGEST_CADENCE = 5  # drawings after which a pattern of holds repeats: 25 frames/s in 30
FILM = Fraction(24), Fraction(24000, 1001)  # frames/s of films, in video of a higher rate
HISTORY = 50  # drawings; contains two repeats of 24 frames/s in 25


class Drawings:
    """Iterates over the frames of a source, with only the first frame of each held drawing.

    A hold is a run of frames that are equal up to coding noise and end with a change much larger
    than all changes within the run; slow pans and fades have no such change. A run longer than an
    animator's hold is a still scene: only its end is dropped, as many frames as the previous hold
    had. The last frames are kept.

    If the holds have the pattern of a pulldown (24 frames/s in 25, 30, 50 or 60), the remaining
    frames are moved by less than a frame to even spacing. Otherwise frames keep their times.

    Args:
      frames: the source's frames.
      rate: the source's frames per second.
      mask: `[H, W]`; changes are ignored where it is above 0. None: no pixel is ignored.

    Attributes:
      dropped: number of frames dropped so far.
    """

    def __init__(self, frames: Iterable[Frame], rate: Fraction, mask: np.ndarray | None = None):
        self.dropped = 0
        self._frames, self._step, self._mask = frames, 1 / rate, mask
        self._usual = 2  # number of frames of the last hold
        self._ending = 0.0  # change that ended it

    def __iter__(self) -> Iterator[Frame]:
        return _evened(self._without_holds(), self._step)

    def _without_holds(self):
        run: deque[Frame] = deque()
        reference, inside, long = None, 0.0, False
        for frame in self._frames:
            blocks = similarity.blocks(frame.pixels, self._mask)
            change = 0.0 if reference is None else float(np.abs(blocks - reference).max())
            if change > max(CODING, min(COARSE, self._ending / FAR)):
                yield from self._ended(run, long, held=change >= CONTRAST * inside, change=change)
                run.clear()
            if not run:
                reference, inside, long = blocks, 0.0, False
            else:
                inside = max(inside, change)
            run.append(frame)
            while frame.time + frame.duration - run[0].time > LONGEST and len(run) > 1:
                long = True
                yield run.popleft()
        yield from run

    def _ended(self, run, long, *, held, change):
        """The frames to keep of a run that was ended by a change."""
        if not held or len(run) == 1:
            return iter(run)
        self._ending = change
        if not long:
            self._usual = len(run)
        kept = max(len(run) - self._usual, 0) + 1 if long else 1
        self.dropped += len(run) - kept
        return itertools.islice(run, kept)


def _evened(frames, step):
    """Yield the frames, evenly spaced where their times have the pattern of a pulldown."""
    reach = 2 * LONGEST_CADENCE
    waiting: deque[Frame] = deque()
    times: list[Fraction] = []  # of at most `HISTORY` yielded frames and of those waiting
    last = None
    for frame in itertools.chain(frames, itertools.repeat(None, reach + 1)):
        if frame is not None:
            waiting.append(frame)
            times.append(frame.time)
            if len(waiting) <= reach:
                continue
        if not waiting:
            return
        first = waiting.popleft()
        place = len(times) - len(waiting) - 1
        time = _even_time(times, place, step)
        # The first and the last frame do not move; nor does a frame that would be too close to the
        # one before it, where a pattern begins.
        if last is None or time - last < step / 2 or not waiting:
            time = first.time
        yield Frame(first.pixels, time, first.time + first.duration - time)
        last = time
        del times[: max(place + 1 - HISTORY, 0)]


def _even_time(times, place, step):
    """The time of a frame without pulldown, never later than its time with pulldown."""
    for period in range(2, LONGEST_CADENCE + 1):
        ahead = times[place : place + 2 * period + 1]
        behind = times[max(place - 2 * period, 0) : place + 1]
        for window, offset in ((ahead, 0), (behind, 2 * period)):
            if len(window) == 2 * period + 1 and _is_cadence(window, period, step):
                even = (window[period] - window[0]) / period
                begins = min(window[index] - index * even for index in range(period))
                return begins + offset * even
    history = times[max(place + 1 - HISTORY, 0) : place + 1]
    found = (_on_line(history, 1 / rate, step) for rate in FILM if len(history) == HISTORY)
    return next((time for time in found if time is not None), times[place])


def _on_line(times, even, step):
    """The last of evenly spaced times that all of `times` follow within a frame; None if they do
    not, or if they have less than two repeats."""
    starts = [time - index * even for index, time in enumerate(times)]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    repeats = sum(gap > min(gaps) for gap in gaps)
    if even <= step or repeats < 2 or max(starts) - min(starts) >= step:
        return None
    return min(starts) + (len(times) - 1) * even


def _is_cadence(times, period, step):
    gaps = [after - before for before, after in itertools.pairwise(times)]
    return gaps[:period] == gaps[period:] and max(gaps) - min(gaps) == step
