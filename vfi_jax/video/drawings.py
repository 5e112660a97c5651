"""Drawings that animation holds for several frames: found, and shown at their times alone."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from vfi_jax.video import similarity
from vfi_jax.video.source import Frame

LONGEST = Fraction(17, 100)  # seconds of a hold: four frames at 23.976 frames/s
CODING = 5 / 255  # largest change of a block's mean that coding makes of a held drawing
CONTRAST = 3  # a pan or a fade changes at most twice as much in the next frame as in this one
LONGEST_CADENCE = 5  # drawings after which a pattern of holds repeats: 25 frames/s in 30


class Drawings:
    """The frames of an animation, of each held drawing the first alone.

    A hold is a run of frames that show the same but for coding noise, ended by a change that is
    much larger than all changes within the run: a slow pan or a fade has none. Of a longer run than
    an animator's hold, a still scene, only the end is dropped, as long as the hold before it. The
    last frames are kept.

    Where holds follow the pattern of a pulldown (24 frames/s in 30 or 60), drawings are moved by
    less than a frame to even distances. All other drawings keep the time at which they appear.

    Args:
      frames: of the source.
      rate: its frames per second.
      mask: `[H, W]`, more than 0 where changes do not count; None: all count.

    Attributes:
      dropped: frames left out so far.
    """

    def __init__(self, frames: Iterable[Frame], rate: Fraction, mask: np.ndarray | None = None):
        self.dropped = 0
        self._frames, self._step, self._mask = frames, 1 / rate, mask
        self._usual = 2  # frames of the last hold

    def __iter__(self) -> Iterator[Frame]:
        return _evened(self._without_holds(), self._step)

    def _without_holds(self):
        run: deque[Frame] = deque()
        reference, inside, long = None, 0.0, False
        for frame in self._frames:
            blocks = similarity.blocks(frame.pixels, self._mask)
            change = 0.0 if reference is None else float(np.abs(blocks - reference).max())
            if change > CODING:
                yield from self._ended(run, long, held=change >= CONTRAST * inside)
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

    def _ended(self, run, long, *, held):
        """Of a run, what is shown before the next drawing."""
        if not held or len(run) == 1:
            return iter(run)
        if not long:
            self._usual = len(run)
        kept = max(len(run) - self._usual, 0) + 1 if long else 1
        self.dropped += len(run) - kept
        return itertools.islice(run, kept)


def _evened(frames, step):
    """Frames at even distances where their times have the pattern of a pulldown."""
    reach = 2 * LONGEST_CADENCE
    waiting: deque[Frame] = deque()
    times: list[Fraction] = []  # of frames given out, at most `reach`, and of those waiting
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
        # The ends stay; where a pattern begins or ends, times may else not ascend.
        if last is None or time <= last or not waiting:
            time = first.time
        yield Frame(first.pixels, time, first.time + first.duration - time)
        last = time
        del times[: max(place + 1 - reach, 0)]


def _even_time(times, place, step):
    """When a frame would be shown without the pulldown: never later than it is."""
    for period in range(2, LONGEST_CADENCE + 1):
        ahead = times[place : place + 2 * period + 1]
        behind = times[max(place - 2 * period, 0) : place + 1]
        for window, offset in ((ahead, 0), (behind, 2 * period)):
            if len(window) == 2 * period + 1 and _is_cadence(window, period, step):
                even = (window[period] - window[0]) / period
                begins = min(window[index] - index * even for index in range(period))
                return begins + offset * even
    return times[place]


def _is_cadence(times, period, step):
    gaps = [after - before for before, after in itertools.pairwise(times)]
    return gaps[:period] == gaps[period:] and max(gaps) - min(gaps) == step
