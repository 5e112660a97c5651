"""File names: system files, natural order, gaps in numbering."""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    ".exr",
)
# Files that macOS, Windows, Linux desktops and network drives create, besides hidden files.
SYSTEM_NAMES = {
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir"),
    *("$recycle.bin", "system volume information", "lost+found"),
}
# A minus sign is at the start or after a character that is not a letter, digit or hyphen.
NUMBER = r"(?:(?<![^\W_])(?<!-)-)?\d+"
SIGNED = r"-?\d+"


def is_system_file(path: str | Path) -> bool:
    """Whether a file or folder is hidden (.DS_Store, ._x, .nfs0001, .gitkeep) or a system file such
    as Thumbs.db, desktop.ini, __MACOSX.
    """
    name = Path(path).name
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def walk(folder: Path) -> list[Path]:
    """All files below a folder in natural order, except system files and contents of system
    folders.
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
    """The folders in a folder in natural order, except system folders."""
    return natural(path for path in folder.iterdir() if path.is_dir() and not is_system_file(path))


def natural(paths: Iterable[Path]) -> list[Path]:
    """Sort by name with numbers by value: 2.png before 10.png, "shot -2" before "shot 1".

    A hyphen is a minus sign at the start of a name and after a space, underscore or similar. After
    a letter it is a minus sign only if other names have numbers without it: f-1, f0, f1.
    """
    paths = list(paths)
    keys = dict(zip(paths, _keys([path.name for path in paths]), strict=True))
    return sorted(paths, key=lambda path: (keys[path], path.name))


def spacing(paths: Sequence[Path]) -> list[int] | None:
    """Time steps from each file of a sequence to the next, from the numbers in their names.

    The smallest difference between neighbours is one step. Names that differ in more than one
    number are one step apart.

    Args:
      paths: in natural order.

    Returns:
      One number fewer than paths; None if the numbers are not multiples of one step, for example
      timestamps.
    """
    keys = _keys([path.name for path in paths])
    differences = [_difference(*pair) for pair in itertools.pairwise(keys)]
    unit = min((one for one in differences if one), default=1)
    if any(one and one % unit for one in differences):
        return None
    return [one // unit if one else 1 for one in differences]


def _difference(key, other):
    """Difference of the only number that differs; None if names differ otherwise."""
    apart = [
        place for place, pair in enumerate(zip(key, other, strict=False)) if pair[0] != pair[1]
    ]
    if len(key) != len(other) or len(apart) != 1 or apart[0] % 2 == 0:
        return None
    return other[apart[0]] - key[apart[0]]


def _keys(names):
    """Alternating texts and numbers of each name."""
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
