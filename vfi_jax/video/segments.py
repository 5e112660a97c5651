"""Finished segments of an output, kept on disk so that a stopped run can be resumed.

A segment is a file of packets, or some frames of a folder, with a record: a JSON file, written
last, with the number of frames and the SHA-256 of the bytes. A segment without a valid record does
not count.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av

from vfi_jax import remote
from vfi_jax.video.read import files
from vfi_jax.video.workspace import KEPT

FRAMES = 120  # output frames per segment: seconds of video, at most minutes of work


def begin_job(folder: Path, job: dict[str, Any]) -> None:
    """Record the job of a run, or check that the previous run had the same job.

    Args:
      folder: the workspace.
      job: everything that the output depends on, serialisable as JSON.

    Raises:
      ValueError: the previous run had another job.
    """
    path = folder / KEPT
    job = json.loads(json.dumps(job, default=str))
    if not path.exists():
        write_json(path, job)
        return
    before = json.loads(path.read_text())
    changed = sorted(key for key in {*job, *before} if job.get(key) != before.get(key))
    if changed:
        raise ValueError(
            f"the stopped run in {folder} had another {', '.join(changed)}: repeat its options, or "
            "start again with --overwrite and without --resume"
        )


class Segments:
    """The segments of an output.

    Args:
      folder: folder of their records and packets.

    Attributes:
      done: {number: frames} of the complete segments.
    """

    def __init__(self, folder: Path):
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.done: dict[int, int] = {}

    def find(self, files_of: Any) -> None:
        """Find the complete segments.

        Args:
          files_of: (number of a segment, its frames) -> paths of its files, as in `record`.
        """
        for path in sorted(self._folder.glob("*.json")):
            number, record = int(path.stem), json.loads(path.read_text())
            files = files_of(number, record["frames"])
            whole = record["frames"] == FRAMES or record["last"]
            if whole and all(map(Path.exists, files)) and digest(files) == record["sha256"]:
                self.done[number] = record["frames"]

    def path(self, number: int) -> Path:
        """Path of a segment's packets."""
        return self._folder / f"{number:06d}.packets"

    def record(
        self, number: int, files: Sequence[Path], *, frames: int, last: bool, **facts: Any
    ) -> None:
        """Record a segment as done.

        Args:
          number: number of the segment.
          files: its files, complete.
          frames: its number of frames.
          last: whether it is the last segment.
          **facts: further entries of the record, for `facts`.
        """
        record = {"frames": frames, "last": last, "sha256": digest(files), **facts}
        write_json(self._folder / f"{number:06d}.json", record)
        self.done[number] = frames

    def facts(self, number: int) -> dict[str, Any]:
        """The record of a segment."""
        return json.loads((self._folder / f"{number:06d}.json").read_text())


def move_segments(source: Path, folder: Path) -> bool:
    """Move the finished segments of one workspace to another of the same job.

    Args:
      source: workspace of a run that is over.
      folder: workspace of this run.

    Returns:
      Whether both have the same job; otherwise nothing is moved.
    """
    job = (source / KEPT).read_text()
    if not (folder / KEPT).exists():
        write_json(folder / KEPT, json.loads(job))
    elif (folder / KEPT).read_text() != job:
        return False
    # Records are last: a segment without one does not count.
    found = [path for path in source.rglob("*") if path.is_file() and path.parent != source]
    for path in sorted(found, key=lambda path: (path.suffix == ".json", path)):
        place = folder / path.relative_to(source)
        place.parent.mkdir(exist_ok=True)
        shutil.move(path, place)
    return True


class PacketFile:
    """Writes the packets of a segment to a file."""

    def __init__(self, path: Path):
        self._file = open(path, "wb")  # noqa: SIM115  # closed by `close`
        self.index: list[list[Any]] = []

    def write(self, packets: Iterable[av.Packet]) -> None:
        """Add packets."""
        for packet in packets:
            self._file.write(bytes(packet))
            self.index.append([packet.size, packet.pts, packet.is_keyframe])

    def close(self) -> None:
        """Close the file once it is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def read_packets(path: Path, index: Iterable[Sequence[Any]]) -> Iterator[av.Packet]:
    """Yield the packets of a segment, with presentation times and without decoding times."""
    with open(path, "rb") as file:
        for size, pts, is_keyframe in index:
            packet = av.Packet(file.read(size))
            packet.pts, packet.is_keyframe = pts, bool(is_keyframe)
            yield packet


def decoding_times(pts: Sequence[int]) -> list[int]:
    """Decoding times of packets: ascending and never later than the presentation times.

    Args:
      pts: presentation times in decoding order.
    """
    shown = sorted(pts)
    rank = {time: place for place, time in enumerate(shown)}
    delay = max(place - rank[time] for place, time in enumerate(pts))
    step = shown[1] - shown[0] if len(shown) > 1 else 1
    early = [shown[0] - (delay - place) * step for place in range(delay)]
    return (early + shown)[: len(shown)]


def digest(files: Iterable[Path]) -> str:
    """SHA-256 of the concatenated bytes of files."""
    total = hashlib.sha256()
    for path in files:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                total.update(block)
    return total.hexdigest()


def source_digest(source: Any) -> str:
    """SHA-256 of the names, sizes and modification times of a source's files.

    Args:
      source: an existing path, from `remote.path`.
    """
    facts = [(path.name, *remote.version(path)) for path in files(source)]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically."""
    partial = path.with_suffix(".partial")
    with open(partial, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
