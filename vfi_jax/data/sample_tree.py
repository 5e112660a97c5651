"""Tiny files for the builders' sample trees, with brightness increasing over time."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SIZE = (40, 40)  # height and width of pictures, in pixels
DARKEST, LIGHTEST, NOISE = 30, 220, 20  # levels


def picture(path: Path, level: float = 128, *, size: tuple[int, int] = SIZE) -> None:
    """Write a PNG or JPEG file of noise around a level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = _noise(level, size)
    done, data = cv2.imencode(path.suffix, pixels)
    assert done
    path.write_bytes(data.tobytes())


def pictures(folder: Path, names: Sequence[str], *, size: tuple[int, int] = SIZE) -> None:
    """Write a file for each name, in order of time."""
    for name, level in zip(names, levels(len(names)), strict=True):
        picture(folder / name, level, size=size)


def lines(path: Path, *texts: str) -> None:
    """Write a list that ends with an empty line, as published lists do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(texts) + "\n\n")


def video(
    path: Path, count: int = 8, *, size: tuple[int, int] = (32, 48), cut: int | None = None
) -> None:
    """Write an AVI of noise that gets brighter, with another scene from frame `cut` on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), code, 25, size[::-1])
    for index in range(count):
        later = cut is not None and index >= cut
        writer.write(_noise(DARKEST + 5 * index + 100 * later, size, seed=int(later)))
    writer.release()


def levels(count: int) -> np.ndarray:
    """Mean levels of frames, ascending."""
    return np.linspace(DARKEST, LIGHTEST, count)


def _noise(level, size, seed=None):
    seed = int(level) if seed is None else seed
    noise = np.random.default_rng(seed).integers(-NOISE, NOISE + 1, (*SIZE, 3))
    pixels = np.clip(level + noise - noise.mean(), 0, 255).round().astype(np.uint8)
    # Large images repeat a pattern, so that they are written and read fast.
    repeats = [-(-whole // part) for whole, part in zip(size, SIZE, strict=True)]
    return np.tile(pixels, (*repeats, 1))[: size[0], : size[1]]
