"""Decoder of a video file: its frames, and the packets of its other streams."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import numpy as np

from vfi_jax import images
from vfi_jax.video import colour
from vfi_jax.video.colour import Tags
from vfi_jax.video.hdr import Hdr
from vfi_jax.video.orientation import Orientation
from vfi_jax.video.pyav import exact, open_file
from vfi_jax.video.source import DEFAULT_RATE, Frame, Picture, Source
from vfi_jax.video.timing import Clock
from vfi_jax.video.tracks import is_cover

BEHIND = 2  # seconds
DROPPED = ("major_brand", "minor_version", "compatible_brands", "encoder", "ENCODER")


class Video(Source):
    """The best video stream of a file; damaged frames are decoded as far as possible.

    Args:
      path: a file that FFmpeg can read.
      name: name in messages. None: the file's name.
    """

    def __init__(self, path: Path, *, name: str | None = None):
        super().__init__()
        self._path, self._name = path, name or path.name
        self._container = _open(path, self._name)
        try:
            self._stream = self._best_stream()
            self._decoder = _decoder(self._stream)
            self._damaged, self._hidden = 0, False
            self._fitted: dict[tuple[int, int], int] = {}  # frames of other sizes: {size: count}
            self._deinterlace: _Deinterlace | None = None
            self._first: av.VideoFrame | None = None
            self._items = self._decode()
            # Pixel format, interlacing and display matrix are certain only once a frame is decoded;
            # packets of other streams before it are kept.
            self._before = self._until_first()
            self._describe(path, self._first, self._before[-1])
        except BaseException:
            self._container.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._items.close()
        self._container.close()

    def items(
        self, *, alpha: bool, span: tuple[Fraction, Fraction | None] | None = None
    ) -> Iterator[Frame | av.Packet]:
        """Yield frames and packets of the other streams, in file order."""
        clock = Clock(self.picture.rate, self.shift, self.picture.average)
        start, end = span or (None, None)
        last, stop = None, Fraction(0)
        for item in itertools.chain(self._before, self._items):
            if isinstance(item, av.Packet):
                yield item
                continue
            tick = _tick(item, self._stream)
            duration, time = clock.duration(item.duration, tick), clock.time(item.pts, tick)
            stop = time + duration
            if end is not None and time > end + BEHIND:
                break  # packets of other streams may be stored after frames of equal time
            # `times` may round otherwise; AVI and Y4M have ticks as long as a frame.
            slack = min(tick, 1 / (2 * self.picture.rate))
            before = start is not None and time < start - slack
            if before or (end is not None and time >= end - slack):
                continue
            if last is not None:
                yield last
            last = Frame(self._pixels(item, alpha), time, duration)
        if last is None:
            raise ValueError(f"{self._name}: no frame can be decoded from start to end")
        yield last if end is not None else self._until_end(last)
        self._report(clock, None if end is not None else stop)

    def times(self) -> list[Fraction]:
        """Presentation times of all frames in seconds, without decoding."""
        clock = Clock(self.picture.rate, self.shift, self.picture.average)
        with open_file(str(self._path)) as container:
            stream = container.streams[self._stream.index]
            tick = exact(stream.time_base) or Fraction(1)
            stamps = [packet.pts for packet in container.demux(stream) if packet.size]
        known = all(stamp is not None for stamp in stamps)
        return [clock.time(stamp, tick) for stamp in (sorted(stamps) if known else stamps)]

    def packets(self) -> Iterator[av.Packet]:
        """Yield only the packets of the other streams; do not combine with `items`."""
        yield from (item for item in self._before if isinstance(item, av.Packet))
        with contextlib.suppress(av.FFmpegError):  # reported while frames are read
            for packet in self._container.demux():
                if packet.stream_index != self._stream.index and packet.size:
                    yield packet

    def _best_stream(self):
        streams = [one for one in self._container.streams.video if not is_cover(one)]
        if not streams:
            raise ValueError(f"{self._name} has no video stream")
        best = self._container.streams.best("video")
        best = best if best in streams else streams[0]
        if best.codec_context is None:
            raise ValueError(f"{self._name}: this build of FFmpeg has no decoder for its video")
        if len(streams) > 1:
            self.warnings.append(
                f"{len(streams)} video streams: only #{best.index} "
                f"({best.width}x{best.height}) is used"
            )
        return best

    def _until_first(self):
        before = []
        for item in self._items:
            before.append(item)
            if not isinstance(item, av.Packet):
                return before
        raise ValueError(f"{self._name} has a video stream, but none of its frames can be decoded")

    def _describe(self, path, first, whole):
        """Set the attributes of a `Source` from the first frame before and after filters."""
        stream, pixel_format = self._stream, whole.format
        self._orientation = Orientation.of(first)
        rate = exact(stream.guessed_rate or stream.average_rate)
        aspect = exact(stream.sample_aspect_ratio)
        size = (first.width, first.height)
        if self._orientation.transposed:
            size, aspect = size[::-1], 1 / aspect if aspect else None
        self._tags = Tags.of(first)
        self.picture = Picture(
            *size,
            rate=rate or DEFAULT_RATE,
            average=_average(stream, first, rate or DEFAULT_RATE),
            tick=_tick(whole, stream),
            bits=colour.bits_of(pixel_format),
            chroma=colour.chroma_of(pixel_format),
            alpha=colour.has_alpha(pixel_format) and self._is_transparent(whole),
            tags=self._tags,
            aspect=aspect if aspect != 1 else None,
            hdr=Hdr.of(first),
            lossless=stream.codec.lossless and not stream.codec.lossy,
        )
        self.chapters = self._container.chapters()
        # MP4 stores chapters in a data stream, which must not be copied as well.
        passed = ("video", "data") if self.chapters else ("video",)
        self.tracks = [
            other
            for other in self._container.streams
            if other.type not in passed or is_cover(other)
        ]
        self.shift = _start(self._container)
        self.count = stream.frames or _frames_in(self._container, self.shift, self.picture.average)
        self.metadata = {k: v for k, v in self._container.metadata.items() if k not in DROPPED}
        self.loop = images.loop(path) if self._container.format.name == "gif" else 0
        self.warnings += self._remarks(rate)

    def _is_transparent(self, frame):
        bits = colour.bits_of(frame.format)
        return _transparent(colour.to_array(frame, self._tags, bits=bits, alpha=True), bits)

    def _remarks(self, rate):
        if self._deinterlace:
            yield "interlaced: deinterlaced first (bwdif)"
        if not rate:
            yield f"the file has no frame rate: read at {DEFAULT_RATE} frames/s"

    def _pixels(self, frame, alpha):
        picture = self.picture
        whole = self._orientation.size(picture.width, picture.height)
        size = frame.width, frame.height
        if size != whole:
            self._fitted[size] = self._fitted.get(size, 0) + 1
            frame = frame.reformat(*_fit(size, whole), interpolation=colour.CHROMA)
        layered = colour.has_alpha(frame.format)
        pixels = colour.to_array(frame, self._tags, bits=picture.bits, alpha=layered)
        if layered and not (alpha and picture.alpha):
            self._hidden |= not picture.alpha and _transparent(pixels, picture.bits)
            pixels = colour.over_black(pixels)
        pixels = self._orientation.upright(pixels)
        return pixels if size == whole else _centred(pixels, picture)

    def _decode(self):
        """Yield decoded frames and packets of other streams; skip and count damaged packets."""
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

    def _until_end(self, last):
        """The last frame, shown until the stream ends; MP4 stores the end only per stream."""
        end = _expected_end(self._stream)
        held = end - self.shift - last.time if end else Fraction(0)
        longest = 2 * max(last.duration, 1 / self.picture.average)
        return dataclasses.replace(last, duration=held) if 0 < held <= longest else last

    def _report(self, clock, end):
        if self._damaged:
            self.warnings.append(f"{self._damaged} damaged frames: decoded as far as possible")
        for (width, height), count in self._fitted.items():
            self.warnings.append(
                f"{count} frames of {width}x{height}: fitted into {self.picture.width}x"
                f"{self.picture.height} with black bars"
            )
        if self._hidden:
            self.warnings.append(
                "transparency that starts after the first frame is composited over black"
            )
        if clock.missing:
            self.warnings.append(
                f"the file has no time stamps: read at {float(self.picture.rate):g} frames/s"
            )
        if clock.disordered:
            self.warnings.append(f"{clock.disordered} time stamps out of order were moved")
        expected = end and _expected_end(self._stream)
        if expected and expected - self.shift - end > max(2 / self.picture.rate, Fraction(1, 10)):
            self.warnings.append(
                f"truncated: frames end at {float(end):.2f} s of "
                f"{float(expected - self.shift):.2f} s"
            )


class _Deinterlace:
    """Deinterlaces frames; number and times of frames do not change."""

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


def _open(path, name):
    if not path.stat().st_size:
        raise ValueError(f"{name} is empty (0 bytes)")
    try:
        return open_file(str(path))
    except av.FFmpegError as error:
        raise ValueError(f"{name} cannot be read as a video: {error.strerror}") from error


def _decoder(stream):
    stream.thread_type = "AUTO"
    # FFmpeg's own VP8 and VP9 decoders drop transparency.
    if stream.metadata.get("ALPHA_MODE", stream.metadata.get("alpha_mode")) != "1":
        return stream.codec_context
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec.name, stream.codec.name)
    decoder = av.CodecContext.create(name, "r")
    decoder.extradata = stream.codec_context.extradata
    return decoder


def _tick(frame, stream):
    return exact(frame.time_base or stream.time_base)


def _transparent(pixels, bits):
    """Whether any pixel of `[H, W, 4]` is transparent at the depth of the source: swscale converts
    the maximum of 8 bits to 65532."""
    spare = max(8 * pixels.itemsize - bits, 0)  # floating-point formats have 32 bits
    return bool(pixels[..., 3].min() >> spare < np.iinfo(pixels.dtype).max >> spare)


def _fit(size, whole):
    """The largest size with the aspect ratio of `size` that fits into `whole`."""
    factor = min(Fraction(most, side) for side, most in zip(size, whole, strict=True))
    return tuple(max(round(side * factor), 1) for side in size)


def _centred(pixels, picture):
    """Centre a smaller frame in a black one; with alpha the bars are transparent."""
    frame = np.zeros((picture.height, picture.width, pixels.shape[-1]), pixels.dtype)
    height, width = pixels.shape[:2]
    top, left = (picture.height - height) // 2, (picture.width - width) // 2
    frame[top : top + height, left : left + width] = pixels
    return frame


def _start(container):
    """The earliest time stamp of all streams, at least 0."""
    starts = [
        stream.start_time * stream.time_base
        for stream in container.streams
        if stream.start_time is not None and stream.type in ("video", "audio")
    ]
    return max(min(starts, default=Fraction(0)), Fraction(0))


def _average(stream, first, rate):
    mean = exact(stream.average_rate)
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
