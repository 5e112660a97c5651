"""metrics.jsonl: one JSON object per line."""

import json
from pathlib import Path
from typing import Any, TextIO

import numpy as np

LINES = "metrics.jsonl"


class Logger:
    """Appends to the file; each line is on disk before the next step is reported."""

    def __init__(self, folder: Path, *, start: int, **about: Any):
        self._file = _opened(folder / LINES, start)

    def scalars(self, step: int, kind: str, values: dict[str, float]) -> None:
        """One line."""
        self._file.write(json.dumps({"step": step, "kind": kind, **values}) + "\n")
        self._file.flush()

    def image(self, step: int, name: str, pixels: np.ndarray) -> None:
        """Ignored: JSON lines contain no images."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _opened(file: Path, start: int) -> TextIO:
    """Open `file` for appending, after removing lines of steps after `start` and a partial line."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    whole = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= start]
    if len(whole) < len(lines):
        file.write_text("".join(whole))
    return file.open("a")
