"""Loggers for the metrics of a run, one file each, found by name (`--loggers`).

A file defines a class `Logger` with the protocol below. metrics.jsonl is always written, because
resuming and model cards read it.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vfi_jax import lookup

LOGGERS = "vfi_jax.training.loggers"
ENTRY_POINTS = True  # installed packages may add loggers
ALWAYS, WHERE_INSTALLED = "json_lines", "tensorboard"


class Logger(Protocol):
    """Receives the metrics of one run, in the process that writes.

    Constructed as Logger(folder, name=..., config=..., start=...):
      folder: a `pathlib.Path`; its files are kept with the run.
      name: name of the run, its workdir.
      config: options and recipe as JSON.
      start: number of steps already taken; in a resumed run, lines of later steps must be dropped.
    """

    def scalars(self, step: int, kind: str, values: dict[str, float]) -> None:
        """Metrics of a step; `kind` is "train" or "eval"."""

    def image(self, step: int, name: str, pixels: np.ndarray) -> None:
        """An image, uint8 `[H, W, 3]`."""

    def close(self) -> None:
        """Flush and close."""


def open_loggers(
    names: tuple[str, ...], folder: Path, **about: Any
) -> tuple[list[Logger], list[str]]:
    """Open the loggers of a run.

    Args:
      names: loggers besides metrics.jsonl; (): TensorBoard, if installed.
      folder: folder of the run.
      **about: `name`, `config` and `start` of `Logger`.

    Returns:
      (loggers, notes about missing packages).

    Raises:
      ValueError: unknown logger, or wandb is requested and not installed.
      ModuleNotFoundError: another requested logger needs a package that is not installed.
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
