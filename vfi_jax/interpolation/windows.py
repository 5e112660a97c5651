"""The input frames needed for a time: the driver's exact arithmetic."""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

from vfi_jax.contract import Contract

# Up to 255 frames between two: each bisection starts from predicted frames and adds its own error.
MAX_HALVINGS = 8
MAX_DENOMINATOR = 1_000_000  # floats are rounded to such fractions; 0.1 + 0.2 is 3/10


@dataclasses.dataclass(frozen=True)
class Window:
    """Evenly spaced times whose frames are the input of one call.

    Attributes:
      step: distance between two of its frames; 1 except for bisected intervals.
      start: time of its first frame; below 0 if the clip's first frame repeats.
      size: number of frames.
    """

    step: Fraction
    start: Fraction
    size: int

    def times(self, length: int | None) -> tuple[Fraction, ...]:
        """The times of its frames in a clip of `length` frames; past its ends the edge repeats."""
        times = [self.start + index * self.step for index in range(self.size)]
        last = max(Fraction(0), *times) if length is None else Fraction(length - 1)
        return tuple(min(max(time, Fraction(0)), last) for time in times)


@dataclasses.dataclass(frozen=True)
class Place:
    """The window that predicts a time.

    Attributes:
      time: the time, in input frames.
      window: the frames for the prediction; None: the result is the input frame at that time.
      relative: the time passed to the model, relative to the window's first frame, in steps.
    """

    time: Fraction
    window: Window | None = None
    relative: Fraction = Fraction(0)


def exact(time: float | Fraction) -> Fraction:
    """A time as a fraction: fractions and integers exactly, floats rounded.

    Raises:
      ValueError: it is not finite.
    """
    if isinstance(time, (Fraction, int)):
        return Fraction(time)
    if not math.isfinite(time):
        raise ValueError(f"times must be finite, got {time}")
    return Fraction(float(time)).limit_denominator(MAX_DENOMINATOR)


def listed(times: Iterable[float | Fraction]) -> list[Fraction]:
    """Times as fractions, in their order.

    Raises:
      ValueError: `times` is not a list of finite numbers.
    """
    try:
        return [exact(time) for time in times]
    except TypeError:
        raise ValueError(f"times must be a list of numbers, got {times!r}") from None


def place(contract: Contract, time: Fraction, length: int | None) -> Place:
    """The place of `time` in a clip.

    The model predicts every time listed in its contract; at any other integer time the result is
    the input frame (if the model keeps the size). If times are listed, neighbouring windows share a
    frame, and the first window that offers a time predicts it. A window that would reach past the
    end of the clip slides inwards; if that is not possible, the edge frame repeats. Other fractions
    are reached by bisection if the contract lists a midpoint between two frames.

    Args:
      contract: what the model answers.
      time: in input frames.
      length: number of frames of the clip; None: longer than any window that `time` needs.

    Raises:
      ValueError: the time lies outside the clip or cannot be reached.
    """
    found = _offered(contract, time, length)
    inside = time >= 0 and (length is None or time <= length - 1)
    if found is None and inside and time.denominator == 1 and contract.scale == 1:
        return Place(time)
    if found is None and inside:
        found = _halved(contract, time, length)
    if found is None and not inside:
        raise ValueError(_outside(contract, time, length))
    if found is None:
        raise ValueError(_unreachable(contract, time, length))
    return found


def halves(contract: Contract, length: int | None = None) -> bool:
    """Whether a model supports bisection: its contract lists a midpoint between two frames."""
    size = window_size(contract, length)
    offered = contract.times_of(size) or ()
    return contract.scale == 1 and any(time % 1 == 0.5 and 0 < time < size - 1 for time in offered)


def window_size(contract: Contract, length: int | None) -> int:
    """Number of frames per window of a clip; fewer if the clip is shorter."""
    if length is None:
        return contract.frames
    return min(max(length, contract.min_frames), contract.frames)


def reach(contract: Contract) -> int:
    """Maximum number of frames before a time that this or a later time needs."""
    inside = contract.frames - 1
    # A bisected window starts from fractions, whose own windows start as far back again.
    inside *= 2 if halves(contract) else 1
    return max(inside, *map(math.ceil, contract.times or (0,)))


def _offered(contract, time, length):
    """The place of a time offered by a window of input frames; None if there is none."""
    size = window_size(contract, length)
    starts = list(_starts(contract, time, size))
    last = math.inf if length is None else length - 1
    fits = [start for start in starts if start >= 0 and start + size - 1 <= last]
    # Edge frames may repeat only for times inside the window; extrapolation needs real frames.
    repeats = [start for start in starts if start <= time <= start + size - 1]
    if fits:
        start = fits[0]
    elif repeats and 0 <= time <= last:
        start = min(repeats, key=lambda start: max(-start, start + size - 1 - last))
    else:
        return None
    return Place(time, Window(Fraction(1), Fraction(start), size), time - start)


def _starts(contract, time, size) -> Iterator[int]:
    """First frames of the windows that offer `time`, best first."""
    offered = contract.times_of(size)
    if offered is None:
        inside = range(math.floor(time - size + 1) + 1, math.ceil(time))
        middle = Fraction(size - 1, 2)
        yield from sorted(inside, key=lambda start: abs(time - start - middle))
        return
    if not offered:
        return
    stride = max(1, math.floor(offered[-1] - offered[0]))
    starts = sorted(time - exact(relative) for relative in offered)
    whole = [int(start) for start in starts if start.denominator == 1]
    yield from (start for start in whole if start % stride == 0)
    yield from (start for start in reversed(whole) if start % stride)


def _halved(contract, time, length):
    """The place of a fraction reached by repeated bisection; None if it is not reached."""
    parts = time.denominator
    if not halves(contract, length) or parts & (parts - 1) or parts > 2**MAX_HALVINGS:
        return None
    # The time is a midpoint of the clip refined by the earlier bisections.
    finer = parts // 2
    made = None if length is None else (length - 1) * finer + 1
    found = _offered(contract, time * finer, made)
    window = Window(Fraction(1, finer), found.window.start / finer, found.window.size)
    return Place(time, window, found.relative)


def _outside(contract, time, length):
    if length == 0:
        return "frames must contain at least one frame, got none"
    if length is None:
        return f"time {_text(time)} lies before the clip's first frame, 0"
    return f"time {_text(time)} lies outside the clip, whose {length} frames are 0 .. {length - 1}"


def _unreachable(contract, time, length):
    offered = contract.times_of(window_size(contract, length))
    if offered is None:
        return f"time {_text(time)} cannot be reached; the model predicts times between two frames"
    if halves(contract, length):
        way = "halving gives 0.25, 0.5, 0.75, ..."
    else:
        parts = {exact(relative) % 1 for relative in offered}
        parts |= {Fraction(0)} if contract.scale == 1 else set()
        reached = sorted(whole + part for whole in range(4) for part in parts)
        way = f"available are {', '.join(map(_text, reached[:4]))}, ..."
    listed = ", ".join(map(_text, offered))
    return f"time {_text(time)} cannot be reached from ({listed}{',' * (len(offered) == 1)}); {way}"


def _text(time):
    return f"{float(time):g}"
