"""Sinks whose finished segments survive a stop; the result does not depend on where it stopped."""

import contextlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from vfi_jax.video import encoding
from vfi_jax.video.encoding import Encoding
from vfi_jax.video.folder import FolderSink, Names
from vfi_jax.video.options import Output
from vfi_jax.video.segments import FRAMES, PacketFile, Segments, decoding_times, read_packets
from vfi_jax.video.source import Picture, Source
from vfi_jax.video.timing import Schedule
from vfi_jax.video.write import VideoSink

SEGMENTS = "segments"  # subfolder of the workspace


def open_resumable(
    path: Path,
    source: Source,
    picture: Picture,
    schedule: Schedule,
    output: Output,
    *,
    names: Names | None,
    reopen: Callable[[], Source],
) -> "ResumableVideo | ResumableFolder":
    """Open a sink that keeps segments beside `path`, with the arguments of `open_sink`.

    For frames whose segment is done it accepts None as pixels.

    Args:
      path: see `open_sink`; inside a workspace.
      source: see `open_sink`.
      picture: see `open_sink`.
      schedule: see `open_sink`.
      output: see `open_sink`.
      names: see `open_sink`.
      reopen: opens the source again.

    Raises:
      ValueError: as in `open_sink`, or segments of such a target cannot be joined.
    """
    if names:
        if output.encodes:
            raise ValueError(
                "codec, crf, preset, encoder_options and pixel_format are for video files"
            )
        return ResumableFolder(path, source, picture, names)
    if path.suffix.lower() in (".gif", ".apng"):
        raise ValueError(f"resume supports video files and folders, not {path.suffix}")
    chosen = encoding.repeatable(encoding.choose(path.suffix, picture, output))
    if picture.alpha and chosen.codec.startswith("libvpx"):
        raise ValueError(
            f"resume cannot keep the transparency of {chosen.codec}; use a .mov target or a folder"
        )
    return ResumableVideo(path, source, picture, schedule, chosen, reopen=reopen)


class ResumableVideo(VideoSink):
    """A video file joined from segments, each of a separate encoder.

    Attributes:
      segments: the finished segments.
    """

    def __init__(
        self,
        path: Path,
        source: Source,
        picture: Picture,
        schedule: Schedule,
        chosen: Encoding,
        *,
        reopen: Callable[[], Source],
    ):
        super().__init__(path, source, picture, schedule, chosen)
        self._reopen, self._shift = reopen, source.shift
        self.segments = Segments(path.parent / SEGMENTS)
        self.segments.find(lambda number, frames: [self.segments.path(number)])
        self._count = 0
        self._encoder: Any = None
        self._file: PacketFile | None = None

    def write(self, pixels: Any, time: Fraction, duration: Fraction) -> None:
        """Encode a frame; None if its segment is done."""
        if pixels is not None:
            if self._file is None:
                self._file = PacketFile(self.segments.path(self._count // FRAMES))
                self._encoder = self._new_encoder()
            self._file.write(self._encoder.encode(self._frame(pixels, time, duration)))
        self._count += 1
        if self._count % FRAMES == 0:
            self._end_segment(last=False)

    def copy(self, packet: av.Packet) -> None:
        """Ignore the packet: `finish` reads the other streams again when it joins the segments."""

    def end(self) -> None:
        """End the last segment, and leave joining to a later run."""
        self._end_segment(last=True)

    def finish(self) -> None:
        """Join the segments."""
        self.end()
        records = [self.segments.facts(number) for number in sorted(self.segments.done)]
        video = self._packets(records)
        unit = self._stream.codec_context.time_base
        waiting = next(video)
        with contextlib.closing(self._reopen()) as source:
            for packet in source.packets():
                now = (packet.dts or 0) * packet.time_base - self._shift
                while waiting is not None and waiting.dts * unit <= now:
                    self._mux([waiting])
                    waiting = next(video, None)
                self._tracks.mux(packet)
        self._mux([] if waiting is None else [waiting])
        self._mux(video)
        self._finish_file()

    def _new_encoder(self):
        shared = self._stream.codec_context
        encoder = av.CodecContext.create(self._chosen.codec, "w")
        encoder.framerate, encoder.flags = shared.framerate, shared.flags
        encoder.options = dict(self._chosen.options)
        self._open_encoder(encoder, shared.time_base)
        return encoder

    def _end_segment(self, *, last):
        if self._file is None:
            return
        self._file.write(self._encoder.encode(None))
        self._file.close()
        number = (self._count - 1) // FRAMES
        self.segments.record(
            number,
            [self.segments.path(number)],
            frames=self._count - number * FRAMES,
            last=last,
            packets=self._file.index,
            durations=sorted(self._durations.items()),
        )
        self._durations.clear()
        self._file = self._encoder = None

    def _packets(self, records):
        """Yield the packets of all segments, ready for muxing."""
        index = [entry for record in records for entry in record["packets"]]
        dts = iter(decoding_times([pts for _, pts, _ in index]))
        unit = self._stream.codec_context.time_base
        for number, record in enumerate(records):
            self._durations.update(record["durations"])
            self._held = record["durations"][-1][1]
            for packet in read_packets(self.segments.path(number), record["packets"]):
                packet.stream, packet.time_base, packet.dts = self._stream, unit, next(dts)
                yield packet


class ResumableFolder(FolderSink):
    """A folder of images with a record of each finished segment.

    Attributes:
      segments: the finished segments.
    """

    def __init__(self, path: Path, source: Source, picture: Picture, names: Names):
        super().__init__(path, source, picture, names)
        self.segments = Segments(path.parent / SEGMENTS)
        self.segments.find(self._files)
        self._written = False

    def write(self, pixels: Any, time: Fraction, duration: Fraction) -> None:
        """Write the next file; None if it exists."""
        if pixels is None:
            self._count += 1
        else:
            super().write(pixels, time, duration)
            self._written = True
        if self._count % FRAMES == 0:
            self._end_segment(last=False)

    def end(self) -> None:
        """Record the last segment."""
        self._end_segment(last=True)

    def finish(self) -> None:
        """As `end`: the files are the result."""
        self.end()

    def _end_segment(self, *, last):
        if self._written:
            number = (self._count - 1) // FRAMES
            frames = self._count - number * FRAMES
            self.segments.record(number, self._files(number, frames), frames=frames, last=last)
        self._written = False

    def _files(self, number, frames):
        first = number * FRAMES
        return [self._names.path(self._path, first + index) for index in range(frames)]
