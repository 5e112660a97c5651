"""Presentation times of frames as exact fractions of a second."""

import dataclasses
import math
from fractions import Fraction
from typing import NamedTuple

LARGEST_TIMESCALE = 2**31 - 1  # ticks per second, a 32-bit field in MP4


def parse_rate(rate: str | float | Fraction) -> Fraction:
    """Parse frames per second as the intended fraction.

    Decimals of broadcasting mean multiples of 1000/1001: 59.94 is 60000/1001, not 2997/50.

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
    """Parse a time in seconds, or the number of a frame, which is returned as an int.

    Args:
      name: name of the argument in the error.
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
    """An instant that contributes to an output frame.

    Attributes:
      time: the instant in seconds.
      shown: presentation time of the output frame in seconds.
      weight: weight in that frame.
    """

    time: Fraction
    shown: Fraction
    weight: float


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Presentation times of output frames.

    Attributes:
      multi: output frames per input frame; each gap between input frames, of any length, is divided
        evenly.
      rate: output frames per second, counted from the first frame; replaces `multi`.
      open: fraction of an output frame's time, 0 to 1, for which a shutter is open around it.
      divisions: number of equal steps of that time, even; samples are at their ends.
    """

    multi: int = 2
    rate: Fraction | None = None
    open: Fraction = Fraction(0)
    divisions: int = 0

    @property
    def parts(self) -> list[tuple[Fraction, float]]:
        """Times of the samples, in output frames relative to the shown frame, and their weights:
        half at both ends (the trapezoidal rule)."""
        if not self.open:
            return [(Fraction(0), 1.0)]
        half = self.divisions // 2
        return [
            (self.open * step / self.divisions, 0.5 if abs(step) == half else 1.0)
            for step in range(-half, half + 1)
        ]

    def samples(self, start: Fraction, stop: Fraction, origin: Fraction) -> list[TimeSample]:
        """Samples from the input frame at `start` to before the next one, at `stop`; ascending."""
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
        """The largest fraction of an input frame's time of which all sample times are multiples."""
        step = source_rate / self.out_rate(source_rate)
        multiples = [step, *(step * part for part, _ in self.parts)]
        return Fraction(1, math.lcm(*(multiple.denominator for multiple in multiples)))

    def between(self, start: Fraction, stop: Fraction, origin: Fraction) -> list[Fraction]:
        """Output times from the input frame at `start` to before the next one, at `stop`."""
        if self.rate is None:
            return [start + (stop - start) * step / self.multi for step in range(self.multi)]
        first = math.ceil((start - origin) * self.rate)
        last = math.ceil((stop - origin) * self.rate)
        return [origin + step / self.rate for step in range(first, last)]

    def at_end(self, time: Fraction, origin: Fraction) -> list[Fraction]:
        """Output times at the last input frame: [time], or [] if it is between two output times."""
        on_time = self.rate is None or ((time - origin) * self.rate).denominator == 1
        return [time] if on_time else []

    def out_rate(self, source_rate: Fraction) -> Fraction:
        """Output frames per second for a source of `source_rate`."""
        return self.rate or source_rate * self.multi

    def time_base(self, tick: Fraction, source_rate: Fraction) -> Fraction:
        """A unit of which every output time is a multiple, as far as 32 bits permit.

        Args:
          tick: unit of the source's time stamps in seconds.
          source_rate: the rate to whose grid `Clock` rounds times.
        """
        multi = 1 if self.rate else self.multi
        extra = self.rate.numerator if self.rate else 1
        exact = math.lcm(tick.denominator * multi, source_rate.numerator * multi, extra)
        if exact <= LARGEST_TIMESCALE:
            return Fraction(1, exact)
        near = math.lcm(tick.denominator * multi, extra)
        return Fraction(1, near) if near <= LARGEST_TIMESCALE else Fraction(1, 90000)


class Clock:
    """Converts decoded time stamps to exact, strictly ascending times.

    Containers round time stamps to ticks, Matroska to milliseconds. A time within a tick of the
    grid of the stream's nominal rate is rounded to the grid, which prevents drift. Other times, as
    in variable frame rates, are kept.

    Args:
      rate: nominal frames per second of the stream.
      shift: seconds to subtract from all time stamps.
      average: mean frames per second if frames are unevenly spaced.

    Attributes:
      missing: number of frames without a time stamp; they follow the previous frame at the nominal
        rate.
      disordered: number of frames whose time stamp does not ascend; they do likewise.
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
        """Presentation duration of a frame in seconds; the mean duration if it is not given."""
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
