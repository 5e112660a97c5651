"""SHA-256 manifests of folders, in the format of `sha256sum -c`.

Orbax restores corrupted bytes silently; a manifest detects them.
"""

import hashlib
from pathlib import Path

from vfi_jax.images import walk

MANIFEST = "SHA256SUMS"


def seal(folder: Path) -> None:
    """Write the manifest of a complete folder."""
    partial = folder / f".{MANIFEST}"
    partial.write_text(
        "".join(f"{sha256(path)}  {name}\n" for name, path in _files(folder).items())
    )
    partial.rename(folder / MANIFEST)


def faults(folder: Path) -> list[str]:
    """Differences from a folder's manifest, one line per file.

    Raises:
      FileNotFoundError: it has no manifest.
    """
    lines = (folder / MANIFEST).read_text(errors="replace").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    files = _files(folder) | {name: folder / name for name in sums if (folder / name).is_file()}
    found = [f"{name} is missing" for name in sums if name not in files]
    found += [f"{name} is not in the manifest" for name in files if name not in sums]
    found += [
        f"{name} is damaged"
        for name, path in files.items()
        if name in sums and sha256(path) != sums[name]
    ]
    return found


def sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder):
    """Paths of the files in the manifest, by name."""
    names = {path.relative_to(folder).as_posix(): path for path in walk(folder)}
    names.pop(MANIFEST, None)
    return names
