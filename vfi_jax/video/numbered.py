"""Random access to the frames of a video by number."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import numpy as np

from vfi_jax.video import colour
from vfi_jax.video.orientation import Orientation
from vfi_jax.video.pyav import open_file
from vfi_jax.video.tracks import is_cover

NEAR = 16  # frames; up to this distance decoding is preferred to seeking


@dataclasses.dataclass(frozen=True)
class Numbers:
    """Numbers of frames and keyframes, which are known only once the whole video was read.

    The frame count of a container is a count of packets, and some packets show no frame.

    Attributes:
      stamps: int64 `[N]`, time stamps of the frames in ticks of the stream.
      keys: int64 `[K]`, numbers of the keyframes, ascending; empty if time stamps are missing or do
        not ascend, so that seeking by them is impossible.
    """

    stamps: np.ndarray
    keys: np.ndarray

    @classmethod
    def of(cls, frames: Iterable[tuple[int | None, bool]]) -> "Numbers":
        """From all frames in order: (time stamp, whether it is a keyframe) each."""
        seen = list(frames)
        stamps = np.array([-1 if stamp is None else stamp for stamp, _ in seen], np.int64)
        known = all(stamp is not None for stamp, _ in seen) and bool((np.diff(stamps) > 0).all())
        keys = np.flatnonzero([known and is_key for _, is_key in seen])
        return cls(stamps, keys)

    def key(self, number: int) -> int:
        """Number of the last keyframe up to a frame; 0 if there is none."""
        before = int(np.searchsorted(self.keys, number, side="right"))
        return int(self.keys[before - 1]) if before else 0


class Reader:
    """Reads frames by number; the result is the same as when the video is read from its start.

    It continues from the current position or seeks to a keyframe. If the file has no index, or
    frames differ or are damaged after seeking, the video is read from its start.
    """

    def __init__(self, path: Path, numbers: Callable[[], Numbers]):
        """Open the file.

        Args:
          path: the video.
          numbers: returns the numbers of its frames; called when a frame is far from the current
            position.

        Raises:
          ValueError: the file cannot be read as a video.
        """
        self._path, self._numbers = path, numbers
        self._restart()

    def read(self, start: int, count: int) -> list[np.ndarray]:
        """Read `count` frames from number `start` on, `[H, W, 3]` uint8 RGB; fewer at the end."""
        if not 0 <= start - self._place <= NEAR:
            self._approach(start)
        frames = self._take(start, count)
        if self._sought and not self._matches(start, count, frames):
            self._restart()
            frames = self._take(start, count)
        return [pixels(frame) for frame in frames]

    def _restart(self):
        self._container, self._stream = _opened(self._path)
        self._frames, self._place = _decoded(self._container, self._stream), 0
        self._sought = False

    def _approach(self, start):
        """Go to the keyframe before a frame, or to the start of the video."""
        key = self._numbers().key(start)
        reads_on = key <= self._place <= start
        if not reads_on and not (key and self._seek(key)):
            self._restart()

    def _seek(self, key):
        """Go to a keyframe; False if that fails."""
        stamp = int(self._numbers().stamps[key])
        self._sought = True
        try:
            self._container.seek(stamp, stream=self._stream)
        except av.FFmpegError:
            return False
        self._frames, self._place = _decoded(self._container, self._stream), key
        for frame in self._frames:
            # Frames stored after the keyframe but shown before it may depend on frames that were
            # not decoded.
            if frame.pts is not None and frame.pts >= stamp:
                self._frames = itertools.chain([frame], self._frames)
                return frame.pts == stamp
        return False

    def _take(self, start, count):
        before, end = start - self._place, start + count
        frames = list(itertools.islice(self._frames, before, end - self._place))
        self._place = end
        return frames

    def _matches(self, start, count, frames):
        wanted = self._numbers().stamps[start : start + count].tolist()
        return [frame.pts for frame in frames] == wanted and not any(
            frame.is_corrupt for frame in frames
        )


def frames(path: Path) -> Iterator[av.VideoFrame]:
    """Yield all frames of a video as stored, in order, without damaged frames.

    Raises:
      ValueError: the file cannot be read as a video.
    """
    container, stream = _opened(path)
    stream.thread_type = "AUTO"  # includes frame threads
    with container:
        yield from _decoded(container, stream)


def pixels(frame: av.VideoFrame) -> np.ndarray:
    """A frame in display orientation, `[H, W, 3]` uint8 RGB."""
    array = colour.to_array(frame, colour.Tags.of(frame), bits=8, alpha=False)
    return Orientation.of(frame).upright(array)


def _opened(path):
    try:
        container = open_file(str(path))
    except av.FFmpegError as error:
        raise ValueError(f"video {path} cannot be read: {error.strerror}") from error
    stream = next((one for one in container.streams.video if not is_cover(one)), None)
    if stream is None:
        container.close()
        raise ValueError(f"video {path} cannot be read: it has no video stream")
    return container, stream


def _decoded(container, stream):
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # truncated file
            return
        if packet is None:
            return
        try:
            found = packet.decode()
        except av.FFmpegError:
            continue
        yield from found
