"""Presentation times of frames as exact fractions of a second."""

import dataclasses
import math
from fractions import Fraction
from typing import NamedTuple

LARGEST_TIMESCALE = 2**31 - 1  # ticks per second, a 32-bit field in MP4


def parse_rate(rate: str | float | Fraction) -> Fraction:
    """Frames per second as the intended fraction.

    Broadcast's decimals stand for multiples of 1000/1001: 59.94 is 60000/1001, not 2997/50.

    Args:
      rate: such as "60000/1001", "59.94", 24 or 23.976.

    Raises:
      ValueError: it is not a positive number.
    """
    try:
        value = Fraction(str(rate))
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if value <= 0:
        raise ValueError(f"a frame rate must be like 60, 59.94 or 60000/1001, got {rate!r}")
    broadcast = Fraction(round(value * 1001 / 1000) * 1000, 1001)
    decimal = "/" not in str(rate) and value.denominator > 1
    return broadcast if decimal and abs(value - broadcast) < Fraction(5, 1000) else value


def parse_moment(name: str, text: str | float | Fraction) -> Fraction | int:
    """A time in seconds, or the number of a frame as an int.

    Args:
      name: what it is called in the error.
      text: seconds, such as 12.5; MM:SS or HH:MM:SS.mmm; or a frame, such as 240f, where 0f is the
        first.

    Raises:
      ValueError: it is none of these, or negative.
    """
    words = str(text).strip()
    try:
        if words.endswith("f"):
            moment: Fraction | int = int(words[:-1])
        else:
            moment = Fraction(0)
            for part in words.split(":"):
                moment = 60 * moment + Fraction(part)
        negative = moment < 0 or "-" in words
    except (ValueError, ZeroDivisionError):
        negative = True
    if negative:
        raise ValueError(
            f"{name} must be seconds (12.5), a time (1:02:03.5) or a frame (240f), got {text!r}"
        )
    return moment


class TimeSample(NamedTuple):
    """An instant of the scene that contributes to an output frame.

    Attributes:
      time: in seconds.
      shown: when the output frame that it contributes to is shown, in seconds.
      weight: in that frame.
    """

    time: Fraction
    shown: Fraction
    weight: float


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The times at which output frames are shown.

    Attributes:
      multi: output frames per input frame; each gap between frames is divided evenly, whatever its
        length.
      rate: output frames per second, counted from the first frame; takes the place of `multi`.
      open: part of an output frame's time, 0 to 1, that a shutter is open around it.
      divisions: equal steps of that time, an even number; samples are taken where they meet.
    """

    multi: int = 2
    rate: Fraction | None = None
    open: Fraction = Fraction(0)
    divisions: int = 0

    @property
    def parts(self) -> list[tuple[Fraction, float]]:
        """Times of the samples, in output frames from the one that is shown, and their weights in
        the time that the shutter is open: half at both ends (the trapezoidal rule)."""
        if not self.open:
            return [(Fraction(0), 1.0)]
        half = self.divisions // 2
        return [
            (self.open * step / self.divisions, 0.5 if abs(step) == half else 1.0)
            for step in range(-half, half + 1)
        ]

    def samples(self, start: Fraction, stop: Fraction, origin: Fraction) -> list[TimeSample]:
        """Samples from the input frame at `start` up to but not at the next one, at `stop`;
        ascending."""
        if self.rate is None:
            step = (stop - start) / self.multi
            shown = [*self.between(start, stop, origin), stop]
        else:
            step = 1 / self.rate
            shown = self.between(max(start - step, origin), stop + step, origin)
        parts = self.parts
        samples = [
            TimeSample(time + at * step, time, weight) for time in shown for at, weight in parts
        ]
        return [sample for sample in samples if start <= sample.time < stop]

    def finest(self, source_rate: Fraction) -> Fraction:
        """A part of the gap between evenly spaced input frames that divides all sample times."""
        step = source_rate / self.out_rate(source_rate)
        multiples = [step, *(step * part for part, _ in self.parts)]
        return Fraction(1, math.lcm(*(multiple.denominator for multiple in multiples)))

    def between(self, start: Fraction, stop: Fraction, origin: Fraction) -> list[Fraction]:
        """Output times from the input frame at `start` up to but not at the next one, at `stop`."""
        if self.rate is None:
            return [start + (stop - start) * step / self.multi for step in range(self.multi)]
        first = math.ceil((start - origin) * self.rate)
        last = math.ceil((stop - origin) * self.rate)
        return [origin + step / self.rate for step in range(first, last)]

    def at_end(self, time: Fraction, origin: Fraction) -> list[Fraction]:
        """Output times at the last input frame: [time], or nothing where the rate passes it by."""
        on_time = self.rate is None or ((time - origin) * self.rate).denominator == 1
        return [time] if on_time else []

    def out_rate(self, source_rate: Fraction) -> Fraction:
        """Output frames per second for a source of `source_rate`."""
        return self.rate or source_rate * self.multi

    def time_base(self, tick: Fraction, source_rate: Fraction) -> Fraction:
        """A unit that every output time is a multiple of, where 32 bits can hold it.

        Args:
          tick: unit of the source's time stamps, in seconds.
          source_rate: the rate that `Clock` put frames on.
        """
        multi = 1 if self.rate else self.multi
        extra = self.rate.numerator if self.rate else 1
        exact = math.lcm(tick.denominator * multi, source_rate.numerator * multi, extra)
        if exact <= LARGEST_TIMESCALE:
            return Fraction(1, exact)
        near = math.lcm(tick.denominator * multi, extra)
        return Fraction(1, near) if near <= LARGEST_TIMESCALE else Fraction(1, 90000)


class Clock:
    """Turns decoded time stamps into exact, strictly ascending times.

    Containers round time stamps to their ticks, Matroska to a millisecond. A frame within a tick of
    its place at the stream's constant rate is put exactly there, so that nothing drifts; any other
    stamp, as variable frame rates have, is kept.

    Args:
      rate: the stream's nominal frames per second.
      shift: seconds to subtract from all stamps.
      average: mean frames per second, where frames are not evenly spaced.

    Attributes:
      missing: frames that had no stamp; they follow the frame before at the nominal rate.
      disordered: frames whose stamp was not after the frame before; treated alike.
    """

    def __init__(
        self, rate: Fraction, shift: Fraction = Fraction(0), average: Fraction | None = None
    ):
        self.missing = self.disordered = 0
        self._rate, self._shift, self._average = rate, shift, average or rate
        self._first: Fraction | None = None
        self._last = Fraction(0)

    def time(self, pts: int | None, tick: Fraction) -> Fraction:
        """The time of the next frame, in seconds."""
        if pts is None:
            self.missing += 1
            time = Fraction(0) if self._first is None else self._last + 1 / self._rate
        else:
            time = pts * tick - self._shift
        if self._first is None:
            self._first = self._last = time
            return time
        self._last = self._on_grid(time, self._first, tick)
        return self._last

    def duration(self, ticks: int | None, tick: Fraction) -> Fraction:
        """How long a frame is shown, in seconds; an average time where it is not given."""
        given = (ticks or 0) * tick
        if not given:
            return 1 / self._average
        return 1 / self._rate if abs(given - 1 / self._rate) <= tick else given

    def _on_grid(self, time, first, tick):
        grid = first + round((time - first) * self._rate) / self._rate
        if abs(grid - time) <= tick and grid > self._last:
            return grid
        if time > self._last:
            return time
        self.disordered += 1
        return self._last + 1 / self._rate
