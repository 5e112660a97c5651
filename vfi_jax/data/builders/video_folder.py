"""Any folder of videos, for training on one's own footage."""

import dataclasses
import functools
import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip, read_frame
from vfi_jax.data.faults import Faults, Unreadable
from vfi_jax.video import numbered

LAYOUT = """\
any tree of videos (.mp4 .mkv .mov .webm .avi .m4v), or train/ and val/ with such trees
an optional index.json lists segments, which are then used unchanged:
{"clips": [{"file": "train/a.mp4", "segments": [{"start": 0, "n": 9}], "licence_class": "MIT"}]}"""
SPLITS = ("train", "val")

SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v")
THUMBNAIL = (32, 32)  # grey, for comparing frames
STATIC = 0.5  # mean grey level difference of neighbours below which a frame is a repeat
CUT = 30.0  # mean grey level difference of neighbours above which the scene changed


@dataclasses.dataclass(frozen=True)
class Segment:
    """Consecutive frames of a video without a cut.

    Attributes:
      start: index of the first frame.
      count: number of frames.
    """

    start: int
    count: int


def clips(
    root: Path,
    split: str,
    *,
    frames: int = 9,
    shortest: int = 3,
    motion: float = 0.0,
    licences: tuple[str, ...] = (),
    faults: Faults | None = None,
) -> Iterator[Clip]:
    """Clips of up to `frames` frames, split at scene changes and repeated frames.

    Args:
      root: a tree of videos, with or without train/ and val/.
      split: "train" or "val"; without such folders every tenth video (or the last if fewer)
        validates.
      frames: maximum length of a clip.
      shortest: minimum length; shorter clips are skipped.
      motion: minimum mean motion between neighbours in pixels; other clips are skipped.
      licences: licence classes to use, if index.json lists one per video; empty: all.
      faults: collects unreadable videos; None: they are errors.

    Raises:
      ValueError: `root` has another layout.
      Unreadable: a video cannot be read.
    """
    faults = faults or Faults(strict=True)
    videos = find_videos(root, split)
    if not videos:
        way = "; with one video, use --eval-every 0" if split == "val" else ""
        raise layout.wrong(root, f"there are no videos for {split!r}{way}", LAYOUT)
    index = read_index(root)
    for video in videos:
        entry = index.get(video.relative_to(root).as_posix(), {})
        if licences and entry.get("licence_class") not in licences:
            continue
        segments = _listed(entry)
        if not segments:
            with faults.passed_over():
                segments = find_segments(video)
        for segment in _pieces(segments, frames, shortest):
            clip = _clip(root, video, segment)
            if motion <= 0 or _pace(clip) >= motion:
                yield clip


def sample(root: Path, variant: str = "") -> None:
    """Write a tiny video of each split."""
    sample_tree.video(root / "train/a.avi")
    sample_tree.video(root / "val/b.avi")


def find_videos(root: Path, split: str) -> list[Path]:
    """The videos of a split, with or without index.json.

    Raises:
      ValueError: `root` is not a folder.
    """
    if not root.is_dir():
        raise layout.wrong(root, "it is not a folder", LAYOUT)
    divided = (root / "train").is_dir() and (root / "val").is_dir()
    tree = root / split if divided else root
    videos = [path for path in images.walk(tree) if path.suffix.lower() in SUFFIXES]
    return videos if divided else layout.part(videos, split)


def read_index(root: Path) -> dict[str, dict]:
    """The entries of index.json by video path; empty without an index.json.

    Raises:
      ValueError: it has another layout.
    """
    file = root / "index.json"
    if not file.exists():
        return {}
    index = json.loads(file.read_text("utf-8-sig"))
    entries = index.get("clips") if isinstance(index, dict) else None
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and "file" in entry for entry in entries
    ):
        raise layout.wrong(root, "its index.json has no list of clips with a file each", LAYOUT)
    return {entry["file"]: entry for entry in entries}


def find_segments(video: Path) -> list[Segment]:
    """Segments without cuts and without repeated frames.

    Raises:
      Unreadable: the video or all of its frames cannot be read.
    """
    return list(_scanned(video).segments)


def measure_motion(frame0: np.ndarray, frame1: np.ndarray) -> float:
    """Mean length of the optical flow between two uint8 RGB frames, in pixels."""
    grey0, grey1 = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (frame0, frame1))
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = method.calc(grey0, grey1, np.zeros((*grey0.shape, 2), np.float32))
    return float(np.linalg.norm(flow, axis=-1).mean())


def _pace(clip: Clip) -> float:
    """Mean motion between neighbours, estimated from the motion between the ends."""
    first, last = (read_frame(clip.frames[index]) for index in (0, -1))
    return measure_motion(first, last) / (len(clip.frames) - 1)


def _listed(entry: dict) -> list[Segment]:
    return [Segment(item["start"], item["n"]) for item in entry.get("segments", ())]


def _pieces(segments: Iterable[Segment], frames: int, shortest: int) -> Iterator[Segment]:
    for segment in segments:
        for start in range(0, segment.count, frames):
            count = min(frames, segment.count - start)
            if count >= shortest:
                yield Segment(segment.start + start, count)


def _clip(root: Path, video: Path, segment: Segment) -> Clip:
    name = f"{video.relative_to(root).with_suffix('').as_posix()}/{segment.start:06d}"
    read = functools.partial(_frame, video, segment)
    frames = tuple(functools.partial(read, i) for i in range(segment.count))
    return Clip(name, frames, size=_size(video))


@functools.cache
def _size(video: Path) -> tuple[int, int] | None:
    """Height and width of the first frame; None if there is none."""
    try:
        first = next(numbered.frames(video), None)
    except ValueError:
        return None
    return None if first is None else numbered.pixels(first).shape[:2]


def _frame(video: Path, segment: Segment, index: int) -> np.ndarray:
    return _segment(video, segment)[index]


# The frames of a clip are read in sequence and decoded together once, by as many threads as a
# stream has.
@functools.lru_cache(maxsize=16)
def _segment(video: Path, segment: Segment) -> list[np.ndarray]:
    frames = _opened(video).read(segment)
    if len(frames) < segment.count:
        raise ValueError(
            f"video {video} ends before frame {segment.start + segment.count}; "
            "its index.json lists more"
        )
    return frames


@functools.lru_cache(maxsize=4)
def _opened(video: Path) -> "_Decoder":
    return _Decoder(video)


class _Decoder:
    """A decoder shared by threads: reading segments in order takes one pass; in any other order it
    costs little more than their own frames."""

    def __init__(self, video: Path):
        self._lock = threading.Lock()
        self._reader = numbered.Reader(video, lambda: _scanned(video).numbers)

    def read(self, segment: Segment) -> list[np.ndarray]:
        """The frames of a segment; fewer if the video ends earlier."""
        with self._lock:
            return self._reader.read(segment.start, segment.count)


class _Scan(NamedTuple):
    """Result of scanning a whole video."""

    numbers: numbered.Numbers
    segments: list[Segment]


@functools.cache
def _scanned(video: Path) -> _Scan:
    marks, thumbnails = [], []
    try:
        for frame in numbered.frames(video):
            marks.append((frame.pts, frame.key_frame))
            grey = cv2.cvtColor(numbered.pixels(frame), cv2.COLOR_RGB2GRAY)
            thumbnails.append(cv2.resize(grey, THUMBNAIL, interpolation=cv2.INTER_AREA))
    except ValueError as error:
        raise Unreadable(str(error)) from error
    if not marks:
        raise Unreadable(f"video {video} has no frame that can be decoded")
    return _Scan(numbered.Numbers.of(marks), _segments(thumbnails))


def _segments(thumbnails):
    segments, start = [], 0
    for place in range(1, len(thumbnails) + 1):
        if place < len(thumbnails):
            change = cv2.absdiff(thumbnails[place], thumbnails[place - 1]).mean()
            if STATIC <= change <= CUT:
                continue
        segments.append(Segment(start, place - start))
        start = place
    return segments
