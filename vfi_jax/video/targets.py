"""Where output goes: checked before any work is done, complete or not there at all."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from vfi_jax.video.encoding import FORMATS

FRAME_NAME = "frame_{:06d}.png"
FRAME_PATTERN = r"frame_\d{6,}\.png"


def is_folder(target: str | os.PathLike) -> bool:
    """Whether a target means a folder of images: no suffix, a final slash, or a folder is there."""
    text, path = os.fspath(target), Path(target)
    return not path.suffix or text.endswith(("/", os.sep)) or path.is_dir()


def check(source: Path | None, target: Path, *, folder: bool, overwrite: bool) -> None:
    """Raises ValueError where `target` cannot or must not be written."""
    if source is not None and target.resolve() == source.resolve():
        raise ValueError(f"{target} is the source; write to another name")
    if not target.resolve().parent.is_dir():
        raise ValueError(f"the folder {target.parent} does not exist")
    if not folder and target.suffix.lower() not in FORMATS:
        known = " ".join(FORMATS)
        raise ValueError(f"{target.name}: a target ends in {known}, or is a folder (no suffix)")
    if not target.exists() or (folder and target.is_dir() and not any(target.iterdir())):
        return
    if not overwrite:
        raise ValueError(f"{target} exists; --overwrite (overwrite=True) replaces it")
    if folder and not target.is_dir():
        raise ValueError(f"{target} is a file; a folder would take its place")
    if folder:
        strangers = [
            one.name for one in target.iterdir() if not re.fullmatch(FRAME_PATTERN, one.name)
        ]
        if strangers:
            raise ValueError(f"{target} also holds {strangers[0]}; such a folder is not replaced")


@contextlib.contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A temporary name beside `target` that becomes `target` at the end, or vanishes on failure."""
    temporary = target.with_name(f".{target.stem}.partial{target.suffix}")
    _remove(temporary)
    try:
        yield temporary
        if target.is_dir():
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        _remove(temporary)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
