"""Checks of output files before anything is computed."""

from pathlib import Path


def check_png(option: str, path: Path) -> None:
    """Raise a ValueError if `path`, the value of `option`, does not end in .png."""
    if path.suffix.lower() != ".png":
        raise ValueError(f"{option} must end in .png, got {path}")


def create_folders(*paths: Path | None) -> None:
    """Create the folders of output files.

    Raises:
      OSError: a folder cannot be created.
    """
    for path in filter(None, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
