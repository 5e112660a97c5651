"""What a run writes down: metrics as JSON lines, TensorBoard, a progress bar."""

import json
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Log:
    """Writes metrics.jsonl and TensorBoard files into a run's folder and shows a progress bar.

    One process of a run writes; on the others every call does nothing.
    """

    def __init__(self, folder: Path, *, steps: int, start: int, on: bool = True):
        """Opens the files for appending.

        Args:
          folder: of the run; it exists.
          steps: of the whole run.
          start: steps already taken; lines of later ones, that a killed run has left, go.
          on: this process writes.
        """
        self.on = on
        if not on:
            return
        self._lines = _opened(folder / "metrics.jsonl", start)
        self._board = _board(folder / "tensorboard")
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._task = self._bar.add_task("training", total=steps, completed=start, note="")

    def __enter__(self) -> "Log":
        if self.on:
            self._bar.start()
            if self._board is None:
                self.say("no TensorBoard files: tensorboardX is not installed")
        return self

    def __exit__(self, *error: object) -> None:
        if self.on:
            self._bar.stop()
            if self._board is not None:
                self._board.close()
            self._lines.close()

    def scalars(self, step: int, values: dict[str, float], *, kind: str = "train") -> None:
        """One line of metrics.jsonl, and the same to TensorBoard."""
        if not self.on:
            return
        record = {"step": step, "kind": kind, **{name: float(v) for name, v in values.items()}}
        self._lines.write(json.dumps(record) + "\n")
        self._lines.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"{kind}/{name}", float(value), step)

    def strip(self, step: int, images: np.ndarray) -> None:
        """A picture to TensorBoard.

        Args:
          step: of the run.
          images: uint8 `[H, W, 3]`.
        """
        if self.on and self._board is not None:
            self._board.add_image("strip", images, step, dataformats="HWC")

    def advance(self, step: int, note: str) -> None:
        """Moves the progress bar to `step`."""
        if self.on:
            self._bar.update(self._task, completed=step, note=note)

    def say(self, line: str) -> None:
        """One line above the progress bar."""
        if self.on:
            self._bar.console.print(line, highlight=False)


def _board(folder: Path) -> Any:
    """TensorBoard's writer; None on machines that train from memory and lack it."""
    # It takes a second to import and only training needs it.
    try:
        from tensorboardX import SummaryWriter
    except ModuleNotFoundError:
        return None
    return SummaryWriter(str(folder))


def _opened(file: Path, start: int) -> TextIO:
    """`file` for appending, without lines of steps after `start` and one that was cut short."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    whole = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= start]
    if len(whole) < len(lines):
        file.write_text("".join(whole))
    return file.open("a")
