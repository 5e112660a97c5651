"""Persistent compilation cache: a second run on frames of the same size starts at once."""

import contextlib
import os
import time
from collections.abc import MutableMapping
from pathlib import Path

import platformdirs

SIZE = 2 * 2**30  # bytes; above it the least recently used programs are removed
FOLDER = "JAX_COMPILATION_CACHE_DIR"  # JAX's own variables
LIMIT = "JAX_COMPILATION_CACHE_MAX_SIZE"
ENTRY, LAST_USE = "-cache", "-atime"  # suffixes of JAX's two files per program
BEING_WRITTEN = 60.0  # seconds during which the second file may be missing
LEAST_SECONDS = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"


def switch_on(environment: MutableMapping[str, str] = os.environ) -> Path:
    """Enable JAX's compilation cache; call it before jax is imported.

    Several processes may share the folder; an unreadable entry is recompiled.

    Args:
      environment: environment variables of the process. If they already set JAX's cache folder,
        nothing is changed.

    Returns:
      The folder; default: the user's cache folder.
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
    """Remove programs for which a killed process did not write the time of last use.

    With such a program in the folder, JAX stores no more programs and warns for each.
    """
    for entry in folder.glob(f"*{ENTRY}"):
        last_use = entry.with_name(entry.name.removesuffix(ENTRY) + LAST_USE)
        with contextlib.suppress(FileNotFoundError):  # another process removed it first
            if not last_use.exists() and entry.stat().st_mtime < time.time() - BEING_WRITTEN:
                entry.unlink()
