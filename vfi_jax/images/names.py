"""Names of files: which belong to the system, their natural order, gaps in their numbers."""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

SUFFIXES = (*(".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"),)
# What macOS, Windows, Linux desktops and network drives leave in folders, besides hidden files.
SYSTEM_NAMES = {
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir"),
    *("$recycle.bin", "system volume information", "lost+found"),
}
# A minus sign stands at the start or after what is neither a letter, a digit nor another hyphen.
NUMBER = r"(?:(?<![^\W_])(?<!-)-)?\d+"
SIGNED = r"-?\d+"


def is_system_file(path: str | Path) -> bool:
    """Whether a file or folder belongs to the system or is hidden: its name begins with a full
    stop (.DS_Store, ._x, .nfs0001, .gitkeep) or is one such as Thumbs.db, desktop.ini, __MACOSX.
    """
    name = Path(path).name
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def walk(folder: Path) -> list[Path]:
    """All files below a folder in natural order, system files and what lies in system folders
    excepted.
    """
    files = []
    for entry in natural(folder.iterdir()):
        if is_system_file(entry):
            continue
        files += walk(entry) if entry.is_dir() else [entry]
    return files


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder in natural order; other files and system files are ignored."""
    return natural(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not is_system_file(path)
    )


def list_folders(folder: Path) -> list[Path]:
    """The folders in a folder in natural order, system folders excepted."""
    return natural(path for path in folder.iterdir() if path.is_dir() and not is_system_file(path))


def natural(paths: Iterable[Path]) -> list[Path]:
    """Sorted by name, numbers by value: 2.png before 10.png, "shot -2" before "shot 1".

    A hyphen is a minus sign at the start of a name and after a space, an underscore and the like.
    After a letter it is one only where other names have the same number without it: f-1, f0, f1.
    """
    paths = list(paths)
    keys = dict(zip(paths, _keys([path.name for path in paths]), strict=True))
    return sorted(paths, key=lambda path: (keys[path], path.name))


def spacing(paths: Sequence[Path]) -> list[int] | None:
    """Steps in time from each file of a sequence to the next, by the numbers in their names.

    The smallest difference between neighbours is one step. Between names that differ in more than
    one number, or in more than numbers, there is one step.

    Args:
      paths: in natural order.

    Returns:
      One number fewer than paths; None where the numbers are not multiples of one step, as time
      stamps are not.
    """
    keys = _keys([path.name for path in paths])
    differences = [_difference(*pair) for pair in itertools.pairwise(keys)]
    unit = min((one for one in differences if one), default=1)
    if any(one and one % unit for one in differences):
        return None
    return [one // unit if one else 1 for one in differences]


def _difference(key, other):
    """How much larger the only number is that differs; None where names differ otherwise."""
    apart = [
        place for place, pair in enumerate(zip(key, other, strict=False)) if pair[0] != pair[1]
    ]
    if len(key) != len(other) or len(apart) != 1 or apart[0] % 2 == 0:
        return None
    return other[apart[0]] - key[apart[0]]


def _keys(names):
    """Texts and numbers in turn, of each name."""
    names = [unicodedata.normalize("NFC", name).casefold() for name in names]
    plain = [_parts(NUMBER, name) for name in names]
    signed = [_parts(SIGNED, name) for name in names]
    stems = {tuple(key[::2]) for key, name in zip(signed, names, strict=True) if "-" not in name}
    return [
        other if tuple(other[::2]) in stems else key
        for key, other in zip(plain, signed, strict=True)
    ]


def _parts(number, name):
    parts = re.split(f"({number})", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]
