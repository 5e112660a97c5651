"""Check of PNG outputs."""

from pathlib import Path


def check_png(option: str, path: Path) -> None:
    """Raise a ValueError if `path`, the value of `option`, does not end in .png."""
    if path.suffix.lower() != ".png":
        raise ValueError(f"{option} must end in .png, got {path}")
