"""Records of videos, one JSON file each in a hidden folder next to the results."""

import contextlib
import dataclasses
import hashlib
import json
import os
from typing import Any

from vfi_jax import remote
from vfi_jax.video import segments, targets

RECORDS = ".vfi_jax-bulk"  # folder next to the results
RUNNING, DONE, FAILED = "running", "done", "failed"


@dataclasses.dataclass(frozen=True)
class Record:
    """State of one video.

    Attributes:
      source: path of the source.
      target: path of the result.
      request: SHA-256 of the source's name, size and modification time, and of all options.
      state: "running" (also after a worker died), "done" or "failed".
      sha256: SHA-256 of the result; of a folder, of all its files.
      size: size of the result in bytes.
      frames: number of frames of the result.
      attempts: number of attempts for this result.
      error: why it failed, in one line.
    """

    source: str
    target: str
    request: str
    state: str = RUNNING
    sha256: str = ""
    size: int = 0
    frames: int = 0
    attempts: int = 1
    error: str = ""

    def is_done(self) -> bool:
        """Whether the state is "done" and the result has the recorded SHA-256."""
        target = remote.path(self.target)
        if self.state != DONE or not target.exists():
            return False
        with remote.local(target) as copy:
            return measure(copy)[0] == self.sha256


def read_record(target: Any) -> Record | None:
    """The record of a target, or None if there is no readable one.

    Args:
      target: a path from `remote.path`.
    """
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        return Record(**json.loads(place_of(target, ".json").read_text()))
    return None


def write_record(record: Record) -> None:
    """Write the record of a video."""
    write_json(place_of(remote.path(record.target), ".json"), dataclasses.asdict(record))


def write_json(place: Any, content: Any) -> None:
    """Write a JSON file that is complete or absent.

    Args:
      place: a path from `remote.path`.
      content: serialisable as JSON.
    """
    if remote.is_remote(place):
        place.write_text(json.dumps(content, indent=1))  # an object appears when it is complete
    else:
        segments.write_json(place, content)


def measure(target: Any) -> tuple[str, int]:
    """SHA-256 and size of a file, or of the frames in a folder."""
    files = sorted(target.iterdir()) if targets.is_folder(target) else [target]
    return segments.digest(files), sum(file.stat().st_size for file in files)


def place_of(target: Any, suffix: str) -> Any:
    """Path in the hidden folder for facts about a target.

    Args:
      target: a path from `remote.path`.
      suffix: of the file or folder.
    """
    name = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    return target.parent / RECORDS / f"{name}{suffix}"
