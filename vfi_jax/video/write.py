"""Sinks: video files, animated GIFs and folders of images."""

import contextlib
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from vfi_jax.video import apng, colour, encoding, matroska
from vfi_jax.video.encoding import Encoding
from vfi_jax.video.folder import FolderSink, Names
from vfi_jax.video.gif import GifSink
from vfi_jax.video.options import Output
from vfi_jax.video.pyav import open_file
from vfi_jax.video.sink import Sink
from vfi_jax.video.source import Picture, Source
from vfi_jax.video.timing import Schedule
from vfi_jax.video.tracks import Tracks


def open_sink(
    path: Path,
    source: Source,
    picture: Picture,
    schedule: Schedule,
    output: Output = Output(),
    *,
    names: Names | None,
) -> Sink:
    """Open a sink.

    Args:
      path: the file or folder to write.
      source: its other streams, metadata and chapters are copied.
      picture: properties of the output; its size may differ from the source's.
      schedule: presentation times of the output frames.
      output: options of the output.
      names: names of the files of a folder of images; None: a video file.

    Raises:
      ValueError: unknown encoder, or the target does not support it or the frame rate.
    """
    if names or path.suffix.lower() == ".gif":
        if output.encodes:
            raise ValueError(
                "codec, crf, preset, encoder_options and pixel_format are for video files, not "
                "for a folder or a GIF"
            )
        if names:
            return FolderSink(path, source, picture, names)
        return GifSink(path, source, picture, schedule.out_rate(picture.average))
    chosen = encoding.choose(path.suffix, picture, output)
    return VideoSink(path, source, picture, schedule, chosen)


class VideoSink(Sink):
    """A video file with its audio, subtitles, chapters and metadata."""

    def __init__(
        self,
        path: Path,
        source: Source,
        picture: Picture,
        schedule: Schedule,
        chosen: Encoding,
    ):
        super().__init__()
        self._path, self._picture, self._chosen = path, picture, chosen
        pixel_format = av.VideoFormat(chosen.pixel_format)
        self.alpha = picture.alpha and colour.has_alpha(pixel_format)
        self.codec = chosen.codec
        self._tags = picture.tags if colour.is_rgb(pixel_format) else picture.tags.for_yuv()
        self._to_frame = colour.Writer(
            picture.width, picture.height, chosen.pixel_format, self._tags
        )
        self._durations: dict[int, int] = {}  # of frames inside the encoder, by time stamp
        self._packet: av.Packet | None = None  # written once it is known whether it is the last
        self._held = 0  # duration of the last frame, in the encoder's time base
        encoding.check_rate(chosen, schedule.out_rate(picture.average))
        unit = schedule.time_base(picture.tick, picture.rate)
        if chosen.format_name in encoding.CONSTANT_RATE:
            unit = 1 / schedule.out_rate(picture.rate)
        unit = encoding.time_base(chosen.codec, unit, schedule.out_rate(picture.rate))
        options = _muxer(chosen, unit)
        self._container = open_file(str(path), "w", format=chosen.format_name, options=options)
        try:
            rate = schedule.out_rate(picture.average)
            self._stream = self._add_stream(picture, chosen, rate, unit)
            self._carry_over(source, chosen.format_name)
        except BaseException:
            self.close()
            raise
        self.warnings += encoding.losses(picture, chosen)

    def write(self, pixels: np.ndarray, time: Fraction, duration: Fraction) -> None:
        """Encode a frame."""
        self._mux(self._stream.encode(self._frame(pixels, time, duration)))

    def _frame(self, pixels, time, duration):
        unit = self._stream.codec_context.time_base
        frame = self._to_frame(pixels)
        self._tags.stamp(frame)
        frame.pts, frame.time_base = round(time / unit), unit
        self._held = round((time + duration) / unit) - frame.pts
        self._durations[frame.pts] = self._held
        return frame

    def copy(self, packet: av.Packet) -> None:
        """Copy a packet of another stream."""
        self._tracks.mux(packet)

    def finish(self) -> None:
        """Write the encoder's last packets and the file's index."""
        self._mux(self._stream.encode(None))
        self._finish_file()

    def _finish_file(self):
        if self._packet is not None:
            # MP4 sums durations in decoding order, in which another frame may be the last.
            if self._container.format.name in ("mp4", "mov"):
                self._packet.duration = self._held
            self._container.mux(self._packet)
        self._tracks.flush()
        self._container.close()
        if self._named:
            matroska.set_display_size(self._path, *self._picture.display_size)
        if self._chosen.format_name == "apng":
            unit = self._stream.codec_context.time_base
            apng.set_last_delay(self._path, self._held * unit)

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(av.FFmpegError):
            self._container.close()

    def _mux(self, packets):
        for packet in packets:
            # Encoders set the distance to the next frame, which the last frame lacks.
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            if self._packet is not None:
                self._container.mux(self._packet)
            self._packet = packet

    def _add_stream(self, picture, chosen, rate, unit):
        try:
            stream = self._container.add_stream(chosen.codec, rate=rate, options=chosen.options)
        except ValueError as error:
            raise ValueError(f"{chosen.format_name} does not support {chosen.codec}") from error
        self._named = picture.aspect and chosen.format_name in ("matroska", "webm")
        if self._named:
            stream.metadata["title"] = matroska.PLACEHOLDER
        stream.time_base = unit
        self._open_encoder(stream.codec_context, unit)
        return stream

    def _open_encoder(self, context, unit):
        picture, chosen = self._picture, self._chosen
        context.width, context.height = picture.width, picture.height
        context.pix_fmt, context.time_base = chosen.pixel_format, unit
        if picture.aspect:
            context.sample_aspect_ratio = picture.aspect
        if context.codec.canonical_name == "hevc" and chosen.format_name in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # the only tag for HEVC that Apple's players support
        self._tags.stamp(context)
        os.environ.setdefault("SVT_LOG", "1")  # else SVT-AV1 prints its configuration
        try:
            context.open()
        except av.FFmpegError as error:
            if encoding.is_hardware(chosen.codec):
                raise ValueError(
                    f"{chosen.codec} needs hardware or a driver that this machine does not have, "
                    f"or that rejects {picture.width}x{picture.height} {chosen.pixel_format} "
                    f"({error.strerror}); without --codec the encoder runs on the CPU"
                ) from error
            raise ValueError(
                f"{chosen.codec} rejects {picture.width}x{picture.height} {chosen.pixel_format} "
                f"with {chosen.options}: {error.strerror}"
            ) from error
        if context.options:  # unused by the encoder
            raise ValueError(f"{chosen.codec} has no option {', '.join(sorted(context.options))}")

    def _carry_over(self, source, format_name):
        self._container.metadata.update(source.metadata)
        self._tracks = Tracks(
            source.tracks,
            self._container,
            format_name=format_name,
            shift=source.shift,
            stretch=source.stretch,
            warnings=self.warnings,
        )
        chapters = [_moved(one, source.shift) for one in source.chapters if one["time_base"]]
        if chapters:
            self._container.set_chapters(chapters)


def _muxer(chosen, unit):
    if chosen.format_name in ("mp4", "mov"):
        # The index first, so that browsers start at once; durations in the unit of the frames.
        return {"movflags": "+faststart", "movie_timescale": str(unit.denominator)}
    if chosen.format_name in ("matroska", "webm"):
        return {"fflags": "+bitexact"}  # no random identifier: repeated runs give equal files
    if chosen.format_name == "avi":
        return {"avoid_negative_ts": "disabled"}  # else MP3's delay would shift the video
    if chosen.format_name == "apng":
        return {"plays": "0"}
    return {}


def _moved(chapter, shift) -> Any:
    ticks = round(shift / chapter["time_base"])
    return {**chapter, "start": chapter["start"] - ticks, "end": chapter["end"] - ticks}
