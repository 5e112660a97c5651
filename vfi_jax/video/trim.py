"""A part of a source between two of its frames."""

import dataclasses
from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction

import av

from vfi_jax.video.source import Frame, Source


class Trimmed(Source):
    """Another source from one frame to before another, with its audio, subtitles and chapters.

    Args:
      source: the source, which `close` closes too.
      start: time in seconds, or number of a frame as an int. A time means the first frame at or
        after it. None: the first frame.
      end: likewise; that frame is not included. None: no limit.

    Raises:
      ValueError: there is no frame between them.
    """

    def __init__(self, source: Source, start: Fraction | int | None, end: Fraction | int | None):
        super().__init__()
        self._source = source
        times = source.times()
        first, stop = _place(times, start, 0), _place(times, end, len(times))
        if first >= stop:
            last = float(times[-1])
            until = "" if end is None else f" to end {end}"
            raise ValueError(
                f"no frame from start {start}{until}; the {len(times)} frames start at 0 and the "
                f"last is shown at {last:g} s"
            )
        self._start = times[first]
        self._end = times[stop] if stop < len(times) else None
        self.picture, self.loop, self.timed = source.picture, source.loop, source.timed
        self.count, self.gaps = stop - first, source.gaps
        self.shift = source.shift + self._start
        self.metadata, self.tracks = source.metadata, source.tracks
        self.warnings = source.warnings
        self.chapters = [
            chapter for one in source.chapters if (chapter := self._within(one)) is not None
        ]

    def items(
        self, *, alpha: bool, span: tuple[Fraction, Fraction | None] | None = None
    ) -> Iterator[Frame | av.Packet]:
        """Yield the frames and packets of the part."""
        assert span is None  # sources are trimmed once
        for item in self._source.items(alpha=alpha, span=(self._start, self._end)):
            if isinstance(item, Frame):
                yield dataclasses.replace(item, time=max(item.time - self._start, Fraction(0)))
            elif self._has(item):
                yield item

    def packets(self) -> Iterator[av.Packet]:
        """The packets of the part."""
        return filter(self._has, self._source.packets())

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _has(self, packet):
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None:
            return False
        time = stamp * packet.time_base - self._source.shift
        return self._start <= time and (self._end is None or time < self._end)

    def _within(self, chapter):
        """A chapter cut to the part; None if it is outside."""
        unit = chapter["time_base"]
        if not unit:
            return None
        start = max(chapter["start"], round(self.shift / unit))
        end = chapter["end"]
        if self._end is not None:
            end = min(end, round((self._source.shift + self._end) / unit))
        return {**chapter, "start": start, "end": end} if start < end else None


def _place(times, moment, default):
    if moment is None:
        return default
    if isinstance(moment, int):
        return min(moment, len(times))
    return bisect_left(times, moment)
