"""Targets: checked before any work; afterwards complete or absent."""

import contextlib
import errno
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vfi_jax import remote
from vfi_jax.images import is_system_file
from vfi_jax.video.encoding import FORMATS
from vfi_jax.video.folder import Names
from vfi_jax.video.workspace import workspace

LONGEST_NAME = 255  # bytes
BULK = "`vfi-jax bulk` reads from object stores and writes to them"
RESULT = "result"  # name of the output in the workspace


def is_folder(target: str | os.PathLike) -> bool:
    """Whether a target is a folder of images: no suffix, a final slash, or an existing folder."""
    text, path = os.fspath(target), Path(target)
    return not path.suffix or text.endswith(("/", os.sep)) or path.is_dir()


def named(role: str, path: str | os.PathLike) -> Path:
    """Check a path given by the user.

    Args:
      role: "source" or "target".
      path: the path.

    Raises:
      ValueError: the path is "", which would mean the current folder, "-", which means a pipe in
        other programs, or a URL.
    """
    text = os.fspath(path)
    if not text:
        raise ValueError(f'{role} must name a file or folder, got ""; the current folder is "."')
    if text == "-":
        pipe = "/dev/stdin reads from a pipe" if role == "source" else "write to a FIFO (mkfifo)"
        raise ValueError(f'{role} must name a file or folder, got "-"; {pipe}')
    return remote.on_this_machine(path, option=role, way=BULK)


def check(
    source: Path | None,
    target: Path,
    *,
    folder: bool,
    overwrite: bool,
    names: Names = Names(),
) -> None:
    """Raise a ValueError if `target` cannot be written or must not be replaced."""
    if len(os.fsencode(target.name)) > LONGEST_NAME:
        raise ValueError(
            f"target {target.name[:20]}... is longer than {LONGEST_NAME} bytes, the limit of file "
            "systems"
        )
    if source is not None and target.resolve() == source.resolve():
        raise ValueError(f"{target} is the source; write to another name")
    if not target.resolve().parent.is_dir():
        raise ValueError(f"the folder {target.parent} does not exist")
    if not folder and target.suffix.lower() not in FORMATS:
        known = " ".join(FORMATS)
        raise ValueError(f"{target.name}: a target must end in {known}, or be a folder (no suffix)")
    if folder and target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file and would be replaced by a folder")
    if target.is_fifo():
        return
    held = _held(target) if folder else []
    if not target.exists() or (folder and not held):
        return
    if not overwrite:
        raise ValueError(f"{target} exists; --overwrite (overwrite=True) replaces it")
    strangers = [name for name in held if not re.fullmatch(names.regex, name)]
    if strangers:
        raise ValueError(f"{target} also contains {strangers[0]}; such a folder is not replaced")


@contextlib.contextmanager
def staged(
    target: Path,
    *,
    overwrite: bool = True,
    keep: bool = False,
    names: Names = Names(),
    join: bool = True,
) -> Iterator[Path]:
    """Yield a temporary path, which is renamed to `target` at the end or deleted on failure.

    The path is in a workspace beside the target. If the target is an existing folder, which may be
    a link or a mount point, the workspace is inside it and the folder remains. A link to a file
    also remains; the file that it points to is replaced. If the target is a FIFO, the whole result
    is written to it at the end.

    Args:
      target: the target.
      overwrite: replace an existing target.
      keep: on failure keep a job that can be resumed, as `workspace` does.
      names: names of the frames in a folder; those of an earlier run are removed.
      join: whether the output is complete at the end; otherwise its job is kept, not renamed.

    Raises:
      ValueError: another run is writing to `target`.
      OSError: the result could not be renamed to the target; the message names its path.
    """
    place = target.resolve()
    if place.is_fifo():
        if keep:
            raise ValueError(f"resume is for files and folders; {target} is a FIFO")
        with tempfile.TemporaryDirectory(prefix="vfi_jax-") as folder:
            temporary = Path(folder) / f"{RESULT}{target.suffix}"
            yield temporary
            with open(temporary, "rb") as result, open(place, "wb") as pipe:
                shutil.copyfileobj(result, pipe)
        return
    with workspace(place, keep=keep, discard=overwrite, leave=not join) as folder:
        temporary = folder / f"{RESULT}{target.suffix}"
        yield temporary
        if not join:
            return
        deliver(temporary, target, overwrite=overwrite, names=names)


def deliver(result: Path, target: Path, *, overwrite: bool, names: Names = Names()) -> None:
    """Rename a complete file or folder of frames to the target.

    Raises:
      OSError: renaming failed; the result remains beside the target, and the message names it.
    """
    place = target.resolve()
    try:
        if not overwrite and place.exists() and not (place.is_dir() and not _held(place)):
            raise FileExistsError(errno.EEXIST, "it was created during the run")
        _move(result, place, names)
    except OSError as error:
        saved = _spare(place, result.suffix)
        result.rename(saved)
        raise OSError(
            f"{target} could not be written ({error.strerror}); the result is in {saved}"
        ) from error


def _spare(place, suffix):
    """An unused name beside a target."""
    folder = place if place.is_dir() else place.parent
    names = (f"vfi_jax-result-{number}{suffix}" for number in itertools.count(1))
    return next(folder / name for name in names if not (folder / name).exists())


def _held(folder):
    """Names in a folder, without system files."""
    if not folder.is_dir():
        return []
    return [one.name for one in folder.iterdir() if not is_system_file(one)]


def _move(temporary, place, names):
    if not place.is_dir():
        temporary.replace(place)
        return
    old = {one for one in place.iterdir() if re.fullmatch(names.regex, one.name)}
    for new in sorted(temporary.iterdir()):
        old.discard(new.replace(place / new.name))
    for one in old:
        one.unlink()
    temporary.rmdir()
