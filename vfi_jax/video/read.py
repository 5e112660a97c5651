"""Reading frames, with everything that the output needs to know, from a video or a folder."""

import dataclasses
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np

from vfi_jax.video import colour, images
from vfi_jax.video.colour import Tags
from vfi_jax.video.timing import Clock

DEFAULT_RATE = Fraction(24)  # frames per second of what has no rate of its own
DROPPED = ("major_brand", "minor_version", "compatible_brands", "encoder", "ENCODER")


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame of a video.

    Attributes:
      pixels: `[H, W, 3 or 4]` uint8 or uint16, upright.
      time: when it is shown, in seconds.
      duration: for how long, where no other frame follows.
    """

    pixels: np.ndarray
    time: Fraction
    duration: Fraction


@dataclasses.dataclass(frozen=True)
class Picture:
    """What all frames of a source have in common.

    Attributes:
      width: in pixels, as shown.
      height: in pixels, as shown.
      rate: nominal frames per second; frames of a constant rate are put on its grid.
      average: mean frames per second; differs where frames are not evenly spaced.
      tick: unit of the time stamps, in seconds.
      bits: per sample and channel, as stored.
      chroma: "420", "422" or "444" as stored, "rgb" where there is none.
      alpha: whether anything is transparent.
      tags: what is said about the colours.
      aspect: a pixel's width over its height, where it is not 1.
    """

    width: int
    height: int
    rate: Fraction
    average: Fraction
    tick: Fraction
    bits: int = 8
    chroma: str = "rgb"
    alpha: bool = False
    tags: Tags = Tags()
    aspect: Fraction | None = None


class Source:
    """What a video file and a folder of images have in common.

    Attributes:
      picture: what all frames have in common.
      count: frames, about; None where it is not known before the end.
      tracks: audio, subtitle and other streams to carry over.
      shift: seconds that were subtracted from all time stamps.
      metadata: of the whole file.
      chapters: as PyAV gives them.
      loop: how often an animation plays: 0 for ever, -1 once, else so many times again.
      warnings: what the user should know, a line each; grows while frames are read.
    """

    picture: Picture
    count: int | None = None
    shift: Fraction = Fraction(0)
    loop: int = 0

    def __init__(self):
        self.tracks: list[av.stream.Stream] = []
        self.metadata: dict[str, str] = {}
        self.chapters: list[Any] = []
        self.warnings: list[str] = []

    def items(self, *, alpha: bool) -> Iterator[Frame | av.Packet]:
        """The frames, and the packets of `tracks` where the file has them, in the file's order.

        Args:
          alpha: with the fourth channel, where the picture has one; else it is laid over black.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the file."""


def open_source(path: Path, *, rate: Fraction | None = None) -> Source:
    """A video file or a folder of images, opened.

    Args:
      path: the file or folder.
      rate: frames per second of a folder, which has none of its own.

    Raises:
      ValueError: there is nothing at `path`, or no video in it.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    return Folder(path, rate) if path.is_dir() else Video(path)


class Folder(Source):
    """The images of a folder, in natural order."""

    def __init__(self, path: Path, rate: Fraction | None):
        super().__init__()
        self._paths = images.listed(path)
        heads = images.heads(self._paths)
        self._bits = max(head.bits for head in heads)
        self._alpha = any(head.alpha for head in heads)
        self.count = len(self._paths)
        self.picture = Picture(
            *heads[0].size,
            rate=rate or DEFAULT_RATE,
            average=rate or DEFAULT_RATE,
            tick=1 / (rate or DEFAULT_RATE),
            bits=self._bits,
            alpha=self._alpha,
            tags=Tags(colour.FULL, colour.RGB),
        )

    def items(self, *, alpha: bool) -> Iterator[Frame]:
        """The images, one `Frame` each."""
        for index, path in enumerate(self._paths):
            pixels = images.read(path, bits=self._bits, alpha=self._alpha)
            if self._alpha and not alpha:
                pixels = colour.over_black(pixels)
            yield Frame(pixels, index / self.picture.rate, 1 / self.picture.rate)


class Video(Source):
    """The best video stream of a file that FFmpeg can read, decoded as far as it can be."""

    def __init__(self, path: Path):
        super().__init__()
        self._name = path.name
        self._container = _open(path)
        try:
            self._stream = self._best_stream()
            self._decoder = _decoder(self._stream)
            self._damaged = 0
            self._deinterlace: _Deinterlace | None = None
            self._first: av.VideoFrame | None = None
            self._items = self._decode()
            # The pixel format, the fields and the display matrix are known for certain only when a
            # frame is; packets of other streams that come before it are kept.
            self._before = self._until_first()
            self._describe(path, self._first, self._before[-1])
        except BaseException:
            self._container.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._items.close()
        self._container.close()

    def items(self, *, alpha: bool) -> Iterator[Frame | av.Packet]:
        """Frames and the other streams' packets, in the file's order."""
        clock, end = Clock(self.picture.rate, self.shift), Fraction(0)
        for item in itertools.chain(self._before, self._items):
            if isinstance(item, av.Packet):
                yield item
                continue
            tick = item.time_base or self._stream.time_base
            duration = clock.duration(item.duration, tick)
            frame = Frame(self._pixels(item, alpha), clock.time(item.pts, tick), duration)
            end = frame.time + duration
            yield frame
        self._report(clock, end)

    def _best_stream(self):
        streams = [
            stream
            for stream in self._container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic
        ]
        if not streams:
            raise ValueError(f"{self._name} has no video stream")
        best = self._container.streams.best("video")
        best = best if best in streams else streams[0]
        if len(streams) > 1:
            self.warnings.append(
                f"{len(streams)} video streams: only #{best.index} "
                f"({best.width}x{best.height}) is taken"
            )
        return best

    def _until_first(self):
        before = []
        for item in self._items:
            before.append(item)
            if not isinstance(item, av.Packet):
                return before
        raise ValueError(f"{self._name} has a video stream, but no frame of it can be decoded")

    def _describe(self, path, first, whole):
        """Set everything that a `Source` says, from the first frame before and after filters."""
        stream, pixel_format = self._stream, whole.format
        self._matrix = _display_matrix(first)
        rate = stream.guessed_rate or stream.average_rate
        aspect = stream.sample_aspect_ratio
        size = (first.width, first.height)
        if self._matrix.transposed:
            size, aspect = size[::-1], 1 / aspect if aspect else None
        self._tags = Tags.of(first)
        self.picture = Picture(
            *size,
            rate=rate or DEFAULT_RATE,
            average=_average(stream, first, rate or DEFAULT_RATE),
            tick=whole.time_base or stream.time_base,
            bits=colour.bits_of(pixel_format),
            chroma=colour.chroma_of(pixel_format),
            alpha=colour.has_alpha(pixel_format) and _transparent(first, self._tags),
            tags=self._tags,
            aspect=aspect if aspect not in (None, 0, 1) else None,
        )
        self.chapters = self._container.chapters()
        # MP4 keeps chapters in a data stream of its own, which is not another thing to carry over.
        passed = ("video", "data") if self.chapters else ("video",)
        self.tracks = [other for other in self._container.streams if other.type not in passed]
        self.shift = _start(self._container)
        self.count = stream.frames or _frames_in(self._container, self.shift, self.picture.average)
        self.metadata = {k: v for k, v in self._container.metadata.items() if k not in DROPPED}
        self.loop = images.loop(path) if self._container.format.name == "gif" else 0
        self.warnings += self._remarks(first, rate)

    def _remarks(self, first, rate):
        if self._deinterlace:
            yield "interlaced: frames are made whole first (bwdif)"
        if not rate:
            yield f"no frame rate in the file: read as {DEFAULT_RATE} frames/s"
        if any("MASTERING" in str(side.type) for side in first.side_data):
            yield "HDR: colour tags are kept, mastering display data is not"

    def _pixels(self, frame, alpha):
        picture = self.picture
        if (frame.width, frame.height) != self._matrix.size(picture.width, picture.height):
            frame = frame.reformat(*self._matrix.size(picture.width, picture.height))
        pixels = colour.to_array(frame, self._tags, bits=picture.bits, alpha=picture.alpha)
        if picture.alpha and not alpha:
            pixels = colour.over_black(pixels)
        return self._matrix.upright(pixels)

    def _decode(self):
        """Decoded frames and other streams' packets; damage is counted and skipped."""
        try:
            for packet in self._container.demux():
                if packet.stream_index != self._stream.index:
                    if packet.size:
                        yield packet
                elif packet.size:
                    yield from self._frames(packet)
        except av.FFmpegError as error:
            self.warnings.append(f"reading stopped early: {error.strerror}")
        yield from self._frames(None)
        if self._deinterlace:
            yield from self._deinterlace(None)

    def _frames(self, packet):
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            self._damaged += 1
            return
        for frame in frames:
            self._first = self._first or frame
            self._damaged += frame.is_corrupt
            if self._deinterlace is None and frame.interlaced_frame:
                self._deinterlace = _Deinterlace(self._stream)
            if self._deinterlace:
                yield from self._deinterlace(frame)
            else:
                yield frame

    def _report(self, clock, end):
        if self._damaged:
            self.warnings.append(f"{self._damaged} damaged frames: decoded as far as possible")
        if clock.missing:
            self.warnings.append(
                f"no time stamps in the file: read at {float(self.picture.rate):g} frames/s"
            )
        if clock.disordered:
            self.warnings.append(f"{clock.disordered} time stamps out of order were moved")
        expected = _expected_end(self._stream)
        if expected and expected - self.shift - end > max(2 / self.picture.rate, Fraction(1, 10)):
            self.warnings.append(
                f"cut short: frames end at {float(end):.2f} s of "
                f"{float(expected - self.shift):.2f} s"
            )


@dataclasses.dataclass(frozen=True)
class _Matrix:
    """How stored pictures are turned to be shown: swapped axes, then mirrored ones."""

    transposed: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def size(self, width, height):
        return (height, width) if self.transposed else (width, height)

    def upright(self, pixels):
        if self.transposed:
            pixels = pixels.swapaxes(0, 1)
        return np.ascontiguousarray(
            pixels[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]
        )


class _Deinterlace:
    """Makes whole frames of interlaced ones; their number and times stay."""

    def __init__(self, stream):
        self._graph = av.filter.Graph()
        source = self._graph.add_buffer(template=stream)
        bwdif = self._graph.add("bwdif", mode="send_frame", deint="interlaced")
        self._graph.link_nodes(source, bwdif, self._graph.add("buffersink")).configure()

    def __call__(self, frame):
        self._graph.vpush(frame)
        while True:
            try:
                yield self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return


def _open(path):
    if not path.stat().st_size:
        raise ValueError(f"{path.name} is empty (0 bytes)")
    try:
        return av.open(str(path), metadata_errors="replace")
    except av.FFmpegError as error:
        raise ValueError(f"{path.name} cannot be read as a video: {error.strerror}") from error


def _decoder(stream):
    stream.thread_type = "AUTO"
    # FFmpeg's own VP8 and VP9 decoders leave the transparency out.
    if stream.metadata.get("ALPHA_MODE", stream.metadata.get("alpha_mode")) != "1":
        return stream.codec_context
    decoder = av.CodecContext.create(f"libvpx-{stream.codec.name}".replace("-vp8", ""), "r")
    decoder.extradata = stream.codec_context.extradata
    return decoder


def _display_matrix(frame):
    try:
        data = bytes(frame.side_data["DISPLAYMATRIX"])
    except KeyError:
        return _Matrix()
    a, b, _, c, d = np.frombuffer(data, np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return _Matrix(True, mirror_x=c < 0, mirror_y=b < 0)
    return _Matrix(False, mirror_x=a < 0, mirror_y=d < 0)


def _transparent(frame, tags):
    pixels = colour.to_array(frame, tags, bits=16, alpha=True)
    return bool((pixels[..., 3] < np.iinfo(pixels.dtype).max).any())


def _start(container):
    """The first time stamp of any stream, where it is later than 0."""
    starts = [
        stream.start_time * stream.time_base
        for stream in container.streams
        if stream.start_time is not None and stream.type in ("video", "audio")
    ]
    return max(min(starts, default=Fraction(0)), Fraction(0))


def _average(stream, first, rate):
    mean = stream.average_rate
    if not mean or first.pts is None or abs(mean / rate - 1) < Fraction(1, 20):
        return rate
    return mean


def _frames_in(container, shift, rate):
    if not container.duration:
        return None
    seconds = Fraction(container.duration, 1_000_000)
    # Matroska counts its duration from 0, other containers from the first time stamp.
    return round((seconds - shift * (container.format.name == "matroska,webm")) * rate)


def _expected_end(stream):
    if stream.duration:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    clock = stream.metadata.get("DURATION", "")
    try:
        hours, minutes, seconds = clock.split(":")
        return Fraction(hours) * 3600 + Fraction(minutes) * 60 + Fraction(seconds)
    except ValueError:
        return None
