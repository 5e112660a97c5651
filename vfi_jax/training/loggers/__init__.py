"""Where the metrics of a run go: one file each, found by name (`--loggers`).

A file defines `Logger`, as the protocol below describes it. metrics.jsonl is always written, since
resuming and model cards read it.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vfi_jax import lookup

LOGGERS = "vfi_jax.training.loggers"
ENTRY_POINTS = True  # installed packages may add to this folder
ALWAYS, WHERE_INSTALLED = "json_lines", "tensorboard"


class Logger(Protocol):
    """Takes the metrics of one run, in the process that writes.

    It is called as Logger(folder, name=..., config=..., start=...):
      folder: a `pathlib.Path` for files; what lies there is kept with the run.
      name: of the run, its workdir.
      config: what is trained, as JSON.
      start: steps already taken; of a resumed run, lines of later steps are to be dropped.
    """

    def scalars(self, step: int, kind: str, values: dict[str, float]) -> None:
        """Metrics of a step; `kind` is "train" or "eval"."""

    def image(self, step: int, name: str, pixels: np.ndarray) -> None:
        """A picture, uint8 `[H, W, 3]`."""

    def close(self) -> None:
        """Writes what is left."""


def open_loggers(
    names: tuple[str, ...], folder: Path, **about: Any
) -> tuple[list[Logger], list[str]]:
    """The loggers of a run.

    Args:
      names: beside the one that is always there; (): TensorBoard, where it is installed.
      folder: of the run.
      **about: `name`, `config` and `start`, as `Logger` takes them.

    Returns:
      (loggers, notes on what is not installed).

    Raises:
      ValueError: no such logger, or wandb is named and not installed.
      ModuleNotFoundError: another logger that is named needs a package that is not installed.
    """
    notes, wanted = [], [ALWAYS, *(names or (WHERE_INSTALLED,))]
    loggers = []
    for name in dict.fromkeys(wanted):
        try:
            loggers.append(find(name)(folder, **about))
        except ModuleNotFoundError as error:
            if names:
                raise
            notes.append(f"no {name} files: {error.name} is not installed")
    return loggers, notes


def find(name: str) -> Any:
    """The class of a logger.

    Raises:
      ValueError: no such logger.
    """
    return lookup.module(LOGGERS, name, kind="logger", needs=("Logger",)).Logger
