"""Writing animated GIFs."""

import contextlib
import os
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import cv2
import numpy as np

from vfi_jax.video.pyav import open_file
from vfi_jax.video.sink import Sink
from vfi_jax.video.source import Picture, Source
from vfi_jax.video.tracks import left_out

CENTISECOND = Fraction(1, 100)  # GIF's unit of time
LEAST = 2  # centiseconds; browsers show shorter frames for 10
LONGEST = 65535  # centiseconds, a 16-bit field
HIGHEST_RATE = 1 / (LEAST * CENTISECOND)  # frames per second


class GifSink(Sink):
    """An animated GIF with a palette for each frame.

    If uneven spacing makes frames shorter than a GIF allows, the later frame is dropped. GIF pixels
    are square: frames with other pixels are resized in width.

    Args:
      path: the file.
      source: provides the loop count and the list of streams.
      picture: properties of the output.
      rate: output frames per second.

    Raises:
      ValueError: `rate` is too high for a GIF.
    """

    codec = "gif"

    def __init__(self, path: Path, source: Source, picture: Picture, rate: Fraction):
        super().__init__()
        if rate > HIGHEST_RATE and source.count != 1:  # a single frame has no rate
            raise ValueError(
                f"a GIF shows at most {HIGHEST_RATE} frames/s (browsers slow faster ones down to "
                f"10), got {float(rate):g}; --fps {HIGHEST_RATE} (fps={HIGHEST_RATE}) fits"
            )
        self.alpha = picture.alpha
        self._path = path
        self._last: int | None = None  # time of the last frame in centiseconds
        self._held = self._left_out = 0
        self._tail = b""
        options = {"loop": str(source.loop)}
        self._container = open_file(str(path), "w", format="gif", options=options)
        self._stream = self._container.add_stream("gif", rate=100)
        context = self._stream.codec_context
        self._size = round(picture.width * (picture.aspect or 1)), picture.height
        context.width, context.height, context.pix_fmt = *self._size, "pal8"
        self._stream.time_base = context.time_base = CENTISECOND
        self._palettes = _palettes(self._size, self.alpha)
        self.warnings += left_out(source.tracks, "gif")
        if picture.aspect:
            self.warnings.append(
                f"{picture.aspect.numerator}:{picture.aspect.denominator} pixels are made square: "
                f"{picture.width}x{picture.height} resized to {self._size[0]}x{self._size[1]}"
            )

    def write(self, pixels: np.ndarray, time: Fraction, duration: Fraction) -> None:
        """Encode a frame."""
        pts, end = (round(moment / CENTISECOND) for moment in (time, time + duration))
        if self._last is not None and pts < self._last + LEAST:
            self._left_out += 1
            self._held = max(self._held, end - self._last)
            return
        self._last, self._held = pts, max(end - pts, LEAST)
        layout = "rgba" if self.alpha else "rgb24"
        pixels = _to_8_bits(pixels)
        if (pixels.shape[1], pixels.shape[0]) != self._size:
            pixels = cv2.resize(pixels, self._size, interpolation=cv2.INTER_CUBIC)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), layout)
        frame.pts, frame.time_base = pts, CENTISECOND
        self._palettes.vpush(frame)
        self._mux(self._palettes.vpull())

    def finish(self) -> None:
        """Write the end of the file and the duration of the last frame."""
        self._mux(None)
        self._container.close()
        self._hold_last()
        if self._left_out:
            self.warnings.append(
                f"{self._left_out} frames dropped: in a GIF a frame lasts at least 0.02 s"
            )

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(av.FFmpegError):
            self._container.close()

    def _mux(self, frame):
        for packet in self._stream.encode(frame):
            self._tail = bytes(packet)
            self._container.mux(packet)

    def _hold_last(self):
        """Set the delay of the last frame in the file; FFmpeg repeats the previous delay."""
        control = self._tail.index(b"\x21\xf9\x04")  # graphic control extension; delay at byte 4
        with open(self._path, "r+b") as file:
            file.seek(control + 4 - len(self._tail) - 1, os.SEEK_END)
            file.write(min(self._held, LONGEST).to_bytes(2, "little"))


def _to_8_bits(pixels):
    return pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257).astype(np.uint8)


def _palettes(size, alpha):
    """A filter graph that reduces each frame to a palette of 256 colours."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=size[0],
        height=size[1],
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
