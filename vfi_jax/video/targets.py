"""Where output goes: checked before any work is done, complete or not there at all."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from vfi_jax.images import is_system_file
from vfi_jax.video.encoding import FORMATS

FRAME_NAME = "frame_{:06d}.png"
FRAME_PATTERN = r"frame_\d{6,}\.png"
PARTIAL = ".vfi_jax.partial"  # inside of a folder, until its frames are complete


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
    if folder and target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file; a folder would take its place")
    held = _held(target) if folder else []
    if not target.exists() or (folder and not held):
        return
    if not overwrite:
        raise ValueError(f"{target} exists; --overwrite (overwrite=True) replaces it")
    strangers = [name for name in held if not re.fullmatch(FRAME_PATTERN, name)]
    if strangers:
        raise ValueError(f"{target} also holds {strangers[0]}; such a folder is not replaced")


@contextlib.contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A temporary name that becomes `target` at the end, or vanishes on failure.

    It is beside the target, or inside of a folder that is there, which stays: it may be a link or
    a mount point. A link to a file stays too; what it points to is replaced.

    Raises:
      OSError: what was made could not be given the target's name; it stays where the message says.
    """
    place = target.resolve()
    if place.is_dir():
        temporary = place / PARTIAL
    else:
        temporary = place.with_name(f".{target.stem}.partial{target.suffix}")
    _remove(temporary)
    try:
        yield temporary
    except BaseException:
        _remove(temporary)
        raise
    try:
        _move(temporary, place)
    except OSError as error:
        raise OSError(
            f"{target} could not be replaced ({error.strerror}); what was made is in {temporary}"
        ) from error


def _held(folder):
    """The names in a folder but for system files."""
    if not folder.is_dir():
        return []
    return [one.name for one in folder.iterdir() if not is_system_file(one)]


def _move(temporary, place):
    if not place.is_dir():
        temporary.replace(place)
        return
    old = {one for one in place.iterdir() if re.fullmatch(FRAME_PATTERN, one.name)}
    for made in sorted(temporary.iterdir()):
        old.discard(made.replace(place / made.name))
    for one in old:
        one.unlink()
    temporary.rmdir()


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
