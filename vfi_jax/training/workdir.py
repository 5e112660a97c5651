"""The folder of a run: local, or in an object store with a local copy."""

import os
import tempfile
from pathlib import Path
from typing import Any

from vfi_jax import remote


class Workdir:
    """Output folder of a run.

    Object stores do not support appending, so a run appends to local files and copies them to the
    store: `fetch` before the run, `publish` after every checkpoint.

    Attributes:
      place: the folder, from `remote.path`.
      here: the folder itself; for an object store a temporary local folder.
    """

    def __init__(self, place: str | os.PathLike[str]):
        """Open the folder, which may not exist yet.

        Raises:
          ValueError: the object store is not supported, or a required package is not installed.
        """
        self.place: Any = remote.path(place)
        self._temporary = None
        self.here: Path = self.place
        if remote.is_remote(place):
            self._temporary = tempfile.TemporaryDirectory(prefix="vfi_jax-run-")
            self.here = Path(self._temporary.name)

    def __enter__(self) -> "Workdir":
        return self

    def __exit__(self, *error: object) -> None:
        self.publish()
        if self._temporary is not None:
            self._temporary.cleanup()

    def fetch(self, name: str) -> None:
        """Copy a file from the object store, if it exists."""
        if self._temporary is not None and (self.place / name).exists():
            (self.here / name).write_bytes((self.place / name).read_bytes())

    def publish(self) -> None:
        """Copy the local files to the object store."""
        if self._temporary is not None:
            remote.publish(self.here, self.place)

    def write(self, name: str, text: str) -> None:
        """Write a file atomically: if the process is killed, the old file stays complete."""
        self.place.mkdir(parents=True, exist_ok=True)
        if self._temporary is not None:
            (self.place / name).write_text(text)  # an object appears when it is complete
            return
        partial = self.place / f".{name}"
        partial.write_text(text)
        partial.replace(self.place / name)
