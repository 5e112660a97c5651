"""metrics.jsonl: a JSON object for each line of metrics."""

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
        """JSON holds no pictures."""

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _opened(file: Path, start: int) -> TextIO:
    """`file` for appending, without lines of steps after `start` and one that was cut short."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    whole = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= start]
    if len(whole) < len(lines):
        file.write_text("".join(whole))
    return file.open("a")
