"""A locked hidden folder beside a target, in which the output is prepared."""

import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

PREFIX = ".vfi_jax-"
LOCK = "lock"  # marks a folder as a workspace; locked while a run uses it
KEPT = "job.json"  # marks a run that can be resumed


@contextlib.contextmanager
def workspace(
    place: Path, *, keep: bool = False, discard: bool = False, leave: bool = False
) -> Iterator[Path]:
    """Create a folder for this run only; at the end it is removed with everything in it.

    It is beside `place`, or inside it if it is an existing folder, which may be a mount point: on
    the same file system, so that results can be renamed. Its name depends only on the target's
    name. Two runs with the same target therefore use the same folder, and the work of a killed run
    is found again.

    Args:
      place: the target, resolved.
      keep: use a job left by a stopped run; on an exception keep the folder if it contains a job.
      discard: remove a job left by a stopped run.
      leave: keep the folder at the end, for a later run with `keep`.

    Raises:
      ValueError: another run is writing to this target, or a stopped run left a job and neither
        `keep` nor `discard` is set.
    """
    folder = folder_of(place)
    lock = _locked(folder, place)
    kept = False
    try:
        if (folder / KEPT).exists() and not (keep or discard):
            kept = True
            raise ValueError(
                f"a stopped run into {place.name} left its work in {folder}: --resume continues "
                "it, --overwrite discards it"
            )
        if not (keep and (folder / KEPT).exists()):
            _empty(folder)
        yield folder
        kept = leave
    except BaseException:
        kept = kept or (keep and (folder / KEPT).exists())
        raise
    finally:
        _release(folder, lock, kept=kept)


def abandon(place: Path) -> None:
    """Remove the workspace of a target if this process created it and it contains no job.

    For a process that exits without running its own clean-up.
    """
    folder = folder_of(place)
    with contextlib.suppress(FileNotFoundError):
        ours = (folder / LOCK).read_text() == str(os.getpid())
        if ours and not (folder / KEPT).exists():
            shutil.rmtree(folder, ignore_errors=True)


def folder_of(place: Path) -> Path:
    """The workspace of a resolved target."""
    name = PREFIX + hashlib.sha256(os.fsencode(place.name)).hexdigest()[:12]
    return (place if place.is_dir() else place.parent) / name


def _locked(folder, place):
    """File descriptor of a workspace's lock; the workspace is created if it does not exist."""
    while True:
        folder.mkdir(exist_ok=True)
        try:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # another run has just removed its folder
            continue
        try:
            _acquire(lock)
        except OSError as error:
            os.close(lock)
            raise ValueError(
                f"another run is writing to {place}; wait for it or stop it"
            ) from error
        # If the file was removed between opening and locking, the lock has no effect.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(folder / LOCK), os.fstat(lock)):
                os.truncate(lock, 0)
                os.write(lock, str(os.getpid()).encode())
                return lock
        os.close(lock)


def _release(folder, lock, *, kept):
    if kept:
        os.close(lock)
        return
    _empty(folder)
    if sys.platform == "win32":  # an open file cannot be removed there
        os.close(lock)
    (folder / LOCK).unlink(missing_ok=True)
    if sys.platform != "win32":
        os.close(lock)
    with contextlib.suppress(OSError):  # another run may have started in it
        folder.rmdir()


def _empty(folder):
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


if sys.platform == "win32":
    import msvcrt

    def _acquire(lock):
        msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _acquire(lock):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
