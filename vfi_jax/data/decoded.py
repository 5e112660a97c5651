"""The clips that a build has decoded, stored next to the data set until it is complete."""

import hashlib
import json
import sqlite3
from pathlib import Path

from vfi_jax import images

SCHEMA = """
create table if not exists source (fingerprint text);
create table if not exists clips (split text, name text, inputs text, primary key (split, name));
create table if not exists frames (
  split text, clip text, place integer, data blob, primary key (split, clip, place)
);
"""


class Decoded:
    """A store of decoded clips. If the process is killed, all stored clips are complete."""

    def __init__(self, file: Path, source: str):
        """Open the file.

        Args:
          file: path of the file; created if missing.
          source: fingerprint of the source files; a file with another fingerprint is emptied.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._database = sqlite3.connect(file)
        # A killed process loses nothing; only a power failure could.
        self._database.execute("pragma synchronous = off")
        self._database.executescript(SCHEMA)
        if self._database.execute("select fingerprint from source").fetchone() != (source,):
            with self._database:
                for table in ("source", "clips", "frames"):
                    self._database.execute(f"delete from {table}")
                self._database.execute("insert into source values (?)", (source,))

    def __enter__(self) -> "Decoded":
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()

    def __len__(self) -> int:
        return self._database.execute("select count(*) from clips").fetchone()[0]

    def get(self, split: str, name: str) -> dict | None:
        """The example of a clip, or None if it has not been decoded."""
        key = (split, name)
        found = self._database.execute(
            "select inputs from clips where split = ? and name = ?", key
        ).fetchone()
        if found is None:
            return None
        rows = self._database.execute(
            "select data from frames where split = ? and clip = ? order by place", key
        )
        frames = [data for (data,) in rows]
        return {"name": name, "frames": frames, "inputs": json.loads(found[0])}

    def put(self, split: str, example: dict) -> None:
        """Store the example of a clip: "name", "frames" as bytes, "inputs"."""
        name = example["name"]
        rows = [(split, name, place, data) for place, data in enumerate(example["frames"])]
        with self._database:  # one transaction
            self._database.executemany("insert into frames values (?, ?, ?, ?)", rows)
            self._database.execute(
                "insert into clips values (?, ?, ?)", (split, name, json.dumps(example["inputs"]))
            )

    def remove(self) -> None:
        """Close and delete the file, when the data set is complete."""
        self._database.close()
        self._file.unlink()


def fingerprint(root: Path, *, without: str) -> str:
    """Fingerprint of a file tree: a hash of names, sizes and modification times.

    Args:
      root: root of the tree.
      without: prefix of paths to exclude.
    """
    digest = hashlib.sha256(str(root.resolve()).encode())
    for path in images.walk(root):
        if str(path).startswith(without):
            continue
        about = path.stat()
        digest.update(f"{path.relative_to(root)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()
