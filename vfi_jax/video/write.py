"""Writing frames to a video file, an animated GIF or a folder of images."""

import contextlib
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np

from vfi_jax.video import colour, encoding, images
from vfi_jax.video.encoding import Encoding
from vfi_jax.video.read import Picture, Source
from vfi_jax.video.targets import FRAME_NAME
from vfi_jax.video.tracks import Tracks, left_out

CENTISECOND = Fraction(1, 100)  # GIF's unit of time


class Sink:
    """Where output frames go.

    Attributes:
      alpha: whether transparency is kept.
      codec: what frames are encoded with.
      warnings: what the user should know, a line each.
    """

    alpha: bool
    codec: str

    def __init__(self):
        self.warnings: list[str] = []

    def write(self, pixels: np.ndarray, time: Fraction, duration: Fraction) -> None:
        """Add the next frame, `[H, W, 3 or 4]`, shown at `time` for `duration` seconds."""
        raise NotImplementedError

    def copy(self, packet: av.Packet) -> None:
        """Carry over a packet of one of the source's other streams."""

    def finish(self) -> None:
        """Write what is held back, after the last frame."""

    def close(self) -> None:
        """Let go of the file, complete or not."""


def open_sink(
    path: Path,
    source: Source,
    picture: Picture,
    *,
    rate: Fraction,
    time_base: Fraction,
    folder: bool,
    codec: str | None = None,
    crf: float | None = None,
) -> Sink:
    """A sink for frames like `picture`.

    Args:
      path: the file or folder to write.
      source: what is carried over: other streams, metadata, chapters.
      picture: of the output; its size may differ from the source's.
      rate: nominal output frames per second.
      time_base: a unit that all output times are multiples of.
      folder: write PNG files.
      codec: FFmpeg's name of an encoder in place of the container's default.
      crf: quality in place of the encoder's default; smaller is better.

    Raises:
      ValueError: no such encoder, or the container does not take it.
    """
    if folder:
        return FolderSink(path, source, picture)
    if path.suffix.lower() == ".gif":
        return GifSink(path, source, picture)
    chosen = encoding.choose(path.suffix, picture, codec=codec, crf=crf)
    return VideoSink(path, source, picture, chosen, rate=rate, time_base=time_base)


class VideoSink(Sink):
    """A video file with its audio, subtitles, chapters and metadata."""

    def __init__(
        self,
        path: Path,
        source: Source,
        picture: Picture,
        chosen: Encoding,
        *,
        rate: Fraction,
        time_base: Fraction,
    ):
        super().__init__()
        pixel_format = av.VideoFormat(chosen.pixel_format)
        self.alpha = picture.alpha and colour.has_alpha(pixel_format)
        self.codec = chosen.codec
        self._format = chosen.pixel_format
        self._tags = picture.tags if colour.is_rgb(pixel_format) else picture.tags.for_yuv()
        self._durations: dict[int, int] = {}  # by time stamp, of frames inside the encoder
        self._packet: av.Packet | None = None  # held back until it is known whether it is the last
        self._held = 0  # how long the last frame is shown, in the encoder's time base
        self._container = av.open(
            str(path), "w", format=chosen.format_name, options=_muxer(chosen, picture, time_base)
        )
        try:
            self._stream = self._add_stream(picture, chosen, rate, time_base)
            self._carry_over(source, chosen.format_name)
        except BaseException:
            self.close()
            raise
        self.warnings += encoding.losses(picture, chosen)

    def write(self, pixels: np.ndarray, time: Fraction, duration: Fraction) -> None:
        """Encode a frame."""
        unit = self._stream.codec_context.time_base
        frame = colour.to_frame(pixels, self._format, self._tags)
        self._tags.stamp(frame)
        frame.pts, frame.time_base = round(time / unit), unit
        self._held = round((time + duration) / unit) - frame.pts
        self._durations[frame.pts] = self._held
        self._mux(self._stream.encode(frame))

    def copy(self, packet: av.Packet) -> None:
        """Carry over a packet."""
        self._tracks.mux(packet)

    def finish(self) -> None:
        """Write the encoder's last packets and the file's index."""
        self._mux(self._stream.encode(None))
        if self._packet is not None:
            # MP4 adds durations up in decoding order, in which another frame may be the last.
            if self._container.format.name in ("mp4", "mov"):
                self._packet.duration = self._held
            self._container.mux(self._packet)
        self._tracks.flush()
        self._container.close()

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(av.FFmpegError):
            self._container.close()

    def _mux(self, packets):
        for packet in packets:
            # Encoders give the distance to the next frame, which the last one lacks.
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            if self._packet is not None:
                self._container.mux(self._packet)
            self._packet = packet

    def _add_stream(self, picture, chosen, rate, time_base):
        try:
            stream = self._container.add_stream(chosen.codec, rate=rate, options=chosen.options)
        except ValueError as error:
            raise ValueError(f"{chosen.format_name} does not take {chosen.codec}") from error
        context = stream.codec_context
        context.width, context.height = picture.width, picture.height
        context.pix_fmt = chosen.pixel_format
        stream.time_base = context.time_base = time_base
        if picture.aspect:
            context.sample_aspect_ratio = picture.aspect
        if chosen.codec == "libx265" and chosen.format_name in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # the only tag for HEVC that Apple's players know
        self._tags.stamp(context)
        os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints its whole configuration otherwise
        try:
            context.open()
        except av.FFmpegError as error:
            raise ValueError(
                f"{chosen.codec} refuses {picture.width}x{picture.height} {chosen.pixel_format} "
                f"with {chosen.options}: {error.strerror}"
            ) from error
        return stream

    def _carry_over(self, source, format_name):
        self._container.metadata.update(source.metadata)
        self._tracks = Tracks(
            source.tracks,
            self._container,
            format_name=format_name,
            shift=source.shift,
            warnings=self.warnings,
        )
        if source.chapters:
            self._container.set_chapters([_moved(one, source.shift) for one in source.chapters])


class GifSink(Sink):
    """An animated GIF with a palette for each frame."""

    codec = "gif"

    def __init__(self, path: Path, source: Source, picture: Picture):
        super().__init__()
        self.alpha = picture.alpha
        self._path = path
        self._last = self._held = 0
        self._tail = b""
        options = {"loop": str(source.loop)}
        self._container = av.open(str(path), "w", format="gif", options=options)
        self._stream = self._container.add_stream("gif", rate=100)
        context = self._stream.codec_context
        context.width, context.height, context.pix_fmt = picture.width, picture.height, "pal8"
        self._stream.time_base = context.time_base = CENTISECOND
        self._palettes = _palettes(picture, self.alpha)
        self.warnings += left_out(source.tracks, "gif")

    def write(self, pixels: np.ndarray, time: Fraction, duration: Fraction) -> None:
        """Encode a frame."""
        pts, end = (round(moment / CENTISECOND) for moment in (time, time + duration))
        if end <= pts:
            raise ValueError("a GIF cannot show more than 100 frames/s; ask for a lower rate")
        self._held = end - pts
        layout = "rgba" if self.alpha else "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(_to_8_bits(pixels)), layout)
        frame.pts, frame.time_base = pts, CENTISECOND
        self._palettes.vpush(frame)
        self._mux(self._palettes.vpull())

    def finish(self) -> None:
        """Write the file's end, and how long the last frame stays."""
        self._mux(None)
        self._container.close()
        self._hold_last()

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(av.FFmpegError):
            self._container.close()

    def _mux(self, frame):
        for packet in self._stream.encode(frame):
            self._tail = bytes(packet)
            self._container.mux(packet)

    def _hold_last(self):
        """Set the last frame's delay, for which FFmpeg repeats the one before, in the file."""
        control = self._tail.index(b"\x21\xf9\x04")  # graphic control extension; 4 on is the delay
        with open(self._path, "r+b") as file:
            file.seek(control + 4 - len(self._tail) - 1, os.SEEK_END)
            file.write(self._held.to_bytes(2, "little"))


class FolderSink(Sink):
    """A folder of numbered PNG files."""

    codec = "png"

    def __init__(self, path: Path, source: Source, picture: Picture):
        super().__init__()
        path.mkdir()
        self.alpha = picture.alpha
        self._path, self._count = path, 0
        self.warnings += left_out(source.tracks, "a folder")

    def write(self, pixels: np.ndarray, time: Fraction, duration: Fraction) -> None:
        """Write the next file."""
        images.write(self._path / FRAME_NAME.format(self._count), pixels)
        self._count += 1


def _muxer(chosen, picture, time_base):
    if chosen.format_name in ("mp4", "mov"):
        # The index first, so that a browser starts at once; durations in the frames' own unit.
        return {"movflags": "+faststart", "movie_timescale": str(time_base.denominator)}
    if chosen.format_name == "apng":
        return {"plays": "0", "final_delay": str(1 / picture.rate)}
    return {}


def _moved(chapter, shift) -> Any:
    ticks = round(shift / chapter["time_base"])
    return {**chapter, "start": chapter["start"] - ticks, "end": chapter["end"] - ticks}


def _to_8_bits(pixels):
    return pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257).astype(np.uint8)


def _palettes(picture, alpha):
    """A filter graph that gives each frame 256 colours of its own."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=picture.width,
        height=picture.height,
        format=av.VideoFormat("rgba" if alpha else "rgb24"),
        time_base=CENTISECOND,
    )
    split = graph.add("split")
    make = graph.add("palettegen", stats_mode="single", reserve_transparent=str(int(alpha)))
    use = graph.add("paletteuse", new="1", dither="sierra2_4a")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(make, 1, 0)
    make.link_to(use, 0, 1)
    use.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
