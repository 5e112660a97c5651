"""Pictures that a command writes."""

from pathlib import Path


def check_png(option: str, path: Path) -> None:
    """Raises ValueError where `path`, given as `option`, does not end in .png."""
    if path.suffix.lower() != ".png":
        raise ValueError(f"{option} must end in .png, got {path}")
