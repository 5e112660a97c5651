"""Slow motion of a source."""

import dataclasses
from collections.abc import Iterator
from fractions import Fraction

import av

from vfi_jax.video.source import Frame, Source


class Slowed(Source):
    """Another source with all its times multiplied, including subtitles and chapters.

    Args:
      source: the source, which `close` closes too.
      factor: factor of all times and durations.
      audio: keep the audio, to be stretched later; otherwise it is left out.
    """

    def __init__(self, source: Source, factor: int, *, audio: bool = False):
        super().__init__()
        self.stretch = factor if audio else 1
        self._source, self._factor = source, factor
        whole = source.picture
        self.picture = dataclasses.replace(
            whole,
            rate=whole.rate / factor,
            average=whole.average / factor,
            tick=whole.tick * factor,
        )
        self.shift, self.timed = source.shift * factor, source.timed
        self.count, self.loop, self.metadata = source.count, source.loop, source.metadata
        self.gaps = source.gaps
        self.chapters = [
            {**one, "start": one["start"] * factor, "end": one["end"] * factor}
            for one in source.chapters
        ]
        self.warnings = source.warnings
        for track in source.tracks:
            if track.type == "data":
                self.warnings.append(f"data #{track.index} left out: it cannot be slowed")
            elif track.type == "audio" and not audio:
                self.warnings.append(
                    f"audio #{track.index} left out: --stretch-audio slows it at its pitch"
                )
            else:
                self.tracks.append(track)

    def items(
        self, *, alpha: bool, span: tuple[Fraction, Fraction | None] | None = None
    ) -> Iterator[Frame | av.Packet]:
        """Yield the frames and packets of the source with multiplied times."""
        assert span is None  # sources are trimmed before they are slowed
        for item in self._source.items(alpha=alpha):
            if isinstance(item, Frame):
                time, duration = item.time * self._factor, item.duration * self._factor
                yield dataclasses.replace(item, time=time, duration=duration)
            else:
                yield self._later(item)

    def packets(self) -> Iterator[av.Packet]:
        """The packets of the source with multiplied times."""
        return map(self._later, self._source.packets())

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _later(self, packet):
        for field in ("pts", "dts", "duration"):
            ticks = getattr(packet, field)
            setattr(packet, field, None if ticks is None else ticks * self._factor)
        return packet
