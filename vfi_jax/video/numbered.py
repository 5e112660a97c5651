"""Frames of a video by their numbers, decoded from the keyframe before them."""

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

NEAR = 16  # frames that are rather decoded and passed over than skipped


@dataclasses.dataclass(frozen=True)
class Numbers:
    """Which frame has which number: what only a reading of the whole video tells.

    Containers that count frames count packets, and some packets show nothing.

    Attributes:
      stamps: int64 `[N]`, time stamps of the frames in the stream's ticks.
      keys: int64 `[K]`, numbers of the keyframes, ascending; empty where time stamps are missing or
        do not ascend, so that no frame can be found by them.
    """

    stamps: np.ndarray
    keys: np.ndarray

    @classmethod
    def of(cls, frames: Iterable[tuple[int | None, bool]]) -> "Numbers":
        """Of all frames in order: time stamp, and whether it is a keyframe."""
        seen = list(frames)
        stamps = np.array([-1 if stamp is None else stamp for stamp, _ in seen], np.int64)
        known = all(stamp is not None for stamp, _ in seen) and bool((np.diff(stamps) > 0).all())
        keys = np.flatnonzero([known and is_key for _, is_key in seen])
        return cls(stamps, keys)

    def key(self, number: int) -> int:
        """The last keyframe up to a frame; 0 where there is none."""
        before = int(np.searchsorted(self.keys, number, side="right"))
        return int(self.keys[before - 1]) if before else 0


class Reader:
    """A video that is read on from where it is, or from a keyframe: always as if from its start.

    Where the file has no index, its frames come otherwise after a jump than before, or one of them
    is damaged, it is read from the start.
    """

    def __init__(self, path: Path, numbers: Callable[[], Numbers]):
        """Opens the file.

        Args:
          path: of the video.
          numbers: of its frames; asked for once a frame is far from where the reader is.

        Raises:
          ValueError: it cannot be read as a video.
        """
        self._path, self._numbers = path, numbers
        self._restart()

    def read(self, start: int, count: int) -> list[np.ndarray]:
        """`count` frames from number `start` on as uint8 `[H, W, 3]`, RGB; fewer at the end."""
        if not 0 <= start - self._place <= NEAR:
            self._approach(start)
        frames = self._take(start, count)
        if self._sought and not self._right(start, count, frames):
            self._restart()
            frames = self._take(start, count)
        return [pixels(frame) for frame in frames]

    def _restart(self):
        self._container, self._stream = _opened(self._path)
        self._frames, self._place = _decoded(self._container, self._stream), 0
        self._sought = False

    def _approach(self, start):
        """Goes to the keyframe before a frame, or to the start of the video."""
        key = self._numbers().key(start)
        reads_on = key <= self._place <= start
        if not reads_on and not (key and self._seek(key)):
            self._restart()

    def _seek(self, key):
        """Goes to a keyframe; False where it did not get there."""
        stamp = int(self._numbers().stamps[key])
        self._sought = True
        try:
            self._container.seek(stamp, stream=self._stream)
        except av.FFmpegError:
            return False
        self._frames, self._place = _decoded(self._container, self._stream), key
        for frame in self._frames:
            # Frames that are shown before the keyframe but stored after it may lack what they are
            # made from.
            if frame.pts is not None and frame.pts >= stamp:
                self._frames = itertools.chain([frame], self._frames)
                return frame.pts == stamp
        return False

    def _take(self, start, count):
        before, end = start - self._place, start + count
        frames = list(itertools.islice(self._frames, before, end - self._place))
        self._place = end
        return frames

    def _right(self, start, count, frames):
        wanted = self._numbers().stamps[start : start + count].tolist()
        return [frame.pts for frame in frames] == wanted and not any(
            frame.is_corrupt for frame in frames
        )


def frames(path: Path) -> Iterator[av.VideoFrame]:
    """All frames of a video as they are stored, in order; damaged ones are left out.

    Raises:
      ValueError: it cannot be read as a video.
    """
    container, stream = _opened(path)
    stream.thread_type = "AUTO"  # also several frames at a time
    with container:
        yield from _decoded(container, stream)


def pixels(frame: av.VideoFrame) -> np.ndarray:
    """A frame as it is to be shown, uint8 `[H, W, 3]`, RGB."""
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
        except av.FFmpegError:  # cut short
            return
        if packet is None:
            return
        try:
            found = packet.decode()
        except av.FFmpegError:
            continue
        yield from found
