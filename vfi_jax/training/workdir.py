"""The folder of a run: on this machine, or in an object store behind a folder here."""

import os
import tempfile
from pathlib import Path
from typing import Any

from vfi_jax import remote


class Workdir:
    """Where a run writes.

    Object stores have no appending, so a run appends to files of this machine and copies them to
    the store: `fetch` before, `publish` whenever a checkpoint makes them worth keeping.

    Attributes:
      place: the folder, as `remote.path` gives it.
      here: the folder itself, or for an object store a temporary one of this machine.
    """

    def __init__(self, place: str | os.PathLike[str]):
        """Opens the folder, which need not exist yet.

        Raises:
          ValueError: such object stores are not supported, or what reads them is not installed.
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
        """Copies a file of the object store here, where there is one."""
        if self._temporary is not None and (self.place / name).exists():
            (self.here / name).write_bytes((self.place / name).read_bytes())

    def publish(self) -> None:
        """Copies what lies here to the object store."""
        if self._temporary is not None:
            remote.publish(self.here, self.place)

    def write(self, name: str, text: str) -> None:
        """Writes a file at once: killed meanwhile, the old one stays whole."""
        self.place.mkdir(parents=True, exist_ok=True)
        if self._temporary is not None:
            (self.place / name).write_text(text)  # an object appears when it is complete
            return
        partial = self.place / f".{name}"
        partial.write_text(text)
        partial.replace(self.place / name)
