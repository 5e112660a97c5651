"""Compiled programs are kept on disk: a second run on frames of the same size starts at once."""

import contextlib
import os
import time
from collections.abc import MutableMapping
from pathlib import Path

import platformdirs

SIZE = 2 * 2**30  # bytes; beyond them what was used longest ago is removed
FOLDER = "JAX_COMPILATION_CACHE_DIR"  # JAX's own variables
LIMIT = "JAX_COMPILATION_CACHE_MAX_SIZE"
ENTRY, LAST_USE = "-cache", "-atime"  # ends of the names of JAX's two files of a program
BEING_WRITTEN = 60.0  # seconds in which the second of them may be missing
LEAST_SECONDS = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"


def switch_on(environment: MutableMapping[str, str] = os.environ) -> Path:
    """Tell JAX, which must not be imported yet, to keep what it compiles.

    Several processes may share the folder; an entry that cannot be read is compiled anew.

    Args:
      environment: of the process. Where it names a folder for JAX already, nothing is changed.

    Returns:
      The folder: the user's cache folder by default.
    """
    if FOLDER in environment:
        return Path(environment[FOLDER])
    folder = Path(platformdirs.user_cache_dir("vfi_jax", appauthor=False)) / "compiled"
    environment[FOLDER] = str(folder)
    environment.setdefault(LIMIT, str(SIZE))
    environment.setdefault(LEAST_SECONDS, "0")
    _remove_halves(folder)
    return folder


def _remove_halves(folder: Path) -> None:
    """Removes programs that a killed process left without the time of their last use.

    JAX stores nothing more where there is one, and warns for each program.
    """
    for entry in folder.glob(f"*{ENTRY}"):
        last_use = entry.with_name(entry.name.removesuffix(ENTRY) + LAST_USE)
        with contextlib.suppress(FileNotFoundError):  # another process removed it first
            if not last_use.exists() and entry.stat().st_mtime < time.time() - BEING_WRITTEN:
                entry.unlink()
