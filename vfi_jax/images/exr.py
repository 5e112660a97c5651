"""OpenEXR files: linear light in floating point of any range, premultiplied by alpha."""

from pathlib import Path
from typing import Any

import numpy as np

from vfi_jax import guard

MAGIC = b"\x76\x2f\x31\x01"
COLOURS = {"RGBA": 4, "RGB": 3, "Y": 1}  # channels as OpenEXR groups them


def read_header(path: Path) -> dict[str, Any]:
    """The attributes of a file by OpenEXR's names.

    Raises:
      ValueError: OpenEXR is not installed, or the file is damaged.
    """
    with _opened(path, header_only=True) as file:
        return dict(file.header())  # closing the file empties its own


def size(header: dict[str, Any]) -> tuple[int, int]:
    """Displayed width and height."""
    (left, top), (right, bottom) = header["displayWindow"]
    return int(right - left) + 1, int(bottom - top) + 1


def channels(header: dict[str, Any]) -> list[str]:
    """Names of the channels."""
    return sorted(channel.name for channel in header["channels"])


def read(path: Path) -> np.ndarray:
    """Read the display window as `[H, W, 1, 3 or 4]` float32; black where the file has no pixels.

    Raises:
      ValueError: OpenEXR is not installed, the file is damaged, or it has neither R, G and B nor Y.
    """
    with _opened(path) as file:
        header, found = dict(file.header()), file.channels()
        name = next((name for name in COLOURS if name in found), None)
        if name is None:
            names = ", ".join(found)
            raise ValueError(f"its channels must be R, G, B and optionally A, or Y; got {names}")
        pixels = found[name].pixels.astype(np.float32)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    width, height = size(header)
    left, top = (
        int(one - other)
        for one, other in zip(header["dataWindow"][0], header["displayWindow"][0], strict=True)
    )
    if (left, top) == (0, 0) and pixels.shape[:2] == (height, width):
        return pixels
    shown = np.zeros((height, width, pixels.shape[-1]), np.float32)
    rows, columns = (
        slice(max(at, 0), max(min(at + length, limit), 0))
        for at, length, limit in (
            (top, pixels.shape[0], height),
            (left, pixels.shape[1], width),
        )
    )
    shown[rows, columns] = pixels[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return shown


def write(path: Path, pixels: np.ndarray, primaries: tuple[float, ...]) -> None:
    """Write `[H, W, 1, 3 or 4]` float32, losslessly compressed.

    Args:
      path: the file.
      pixels: linear light.
      primaries: chromaticities (x, y) of red, green, blue and white; empty: not declared.

    Raises:
      ValueError: OpenEXR is not installed.
    """
    module = _openexr()
    header = {"compression": module.ZIP_COMPRESSION, "type": module.scanlineimage}
    if primaries:
        header["chromaticities"] = primaries
    name = next(name for name, count in COLOURS.items() if count == pixels.shape[-1])
    shown = np.ascontiguousarray(pixels[..., 0] if name == "Y" else pixels)
    with module.File(header, {name: shown}) as file:
        file.write(str(path))


def _opened(path, **options):
    module = _openexr()
    try:
        return module.File(str(path), **options)
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def _openexr():
    try:
        import OpenEXR
    except ImportError as error:
        way = guard.way_out("exr")
        raise ValueError(f"reading and writing EXR requires OpenEXR; {way}") from error
    return OpenEXR
