"""Image files: which ones a folder holds, what they are, their pixels."""

import dataclasses
import re
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
ORIENTATION = 0x0112  # EXIF tag
# What its values ask for; 5 to 8 swap width and height.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
BITS_PER_SAMPLE = 258  # TIFF tag


@dataclasses.dataclass(frozen=True)
class Head:
    """What an image file says before its pixels are read.

    Attributes:
      size: (width, height) in pixels, as shown.
      bits: 8 or 16 per channel.
      alpha: whether it has transparency.
    """

    size: tuple[int, int]
    bits: int
    alpha: bool


def listed(folder: Path) -> list[Path]:
    """The image files of a folder in natural order: 2.png before 10.png. Other files are ignored.

    Raises:
      ValueError: there are none.
    """
    paths = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not paths:
        raise ValueError(f"{folder} holds no images ({' '.join(SUFFIXES)})")
    return sorted(paths, key=_natural)


def heads(paths: list[Path]) -> list[Head]:
    """The heads of images that are all of one size.

    Raises:
      ValueError: one is no image, of another size or of neither 8 nor 16 bits; it is named.
    """
    found = [_head(path) for path in paths]
    for path, head in zip(paths, found, strict=True):
        if head.size != found[0].size:
            raise ValueError(
                f"{path} is {head.size[0]}x{head.size[1]}, but {paths[0].name} is "
                f"{found[0].size[0]}x{found[0].size[1]}; all images must have one size"
            )
    return found


def read(path: Path, *, bits: int = 8, alpha: bool = False) -> np.ndarray:
    """An image as shown: any colour mode becomes RGB, EXIF orientation is applied.

    Args:
      path: the file.
      bits: 8 for uint8, 16 for uint16.
      alpha: with a fourth channel.

    Returns:
      `[H, W, 3 or 4]` uint8 or uint16.

    Raises:
      ValueError: it cannot be decoded, or is of neither 8 nor 16 bits.
    """
    try:
        with Image.open(path) as image:
            deep, turn = _bits(image) == 16, TURNS.get(_orientation(image))
            if not deep:
                shown = image.convert("RGBA" if alpha else "RGB")
                pixels = np.array(shown if turn is None else shown.transpose(turn))
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from error
    if deep:
        pixels = _deep(path, alpha)
    if bits == 16 and pixels.dtype == np.uint8:
        return pixels.astype(np.uint16) * 257
    if bits == 8 and pixels.dtype == np.uint16:
        return np.rint(pixels / np.float32(257)).astype(np.uint8)
    return pixels


def write(path: Path, pixels: np.ndarray) -> None:
    """Write `[H, W, 1, 3 or 4]` uint8 or uint16 as PNG, losslessly."""
    if pixels.shape[-1] > 1:
        code = cv2.COLOR_RGBA2BGRA if pixels.shape[-1] == 4 else cv2.COLOR_RGB2BGR
        pixels = cv2.cvtColor(pixels, code)
    done, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ValueError(f"a frame of shape {pixels.shape} cannot be written as PNG")
    path.write_bytes(data.tobytes())


def loop(path: Path) -> int:
    """How often a GIF plays: 0 for ever, -1 once, else so many times again."""
    with Image.open(path) as image:
        return image.info.get("loop", -1)


def _natural(path):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name.lower())]


def _head(path):
    try:
        with Image.open(path) as image:
            size = image.size[::-1] if _orientation(image) >= 5 else image.size
            alpha = "A" in image.getbands() or "transparency" in image.info
            return Head(size, _bits(image), alpha)
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from error


def _orientation(image):
    # Pillow decodes a whole PNG to look for a tag behind the pixels, where nobody writes one.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return image.getexif().get(ORIENTATION, 1)


def _bits(image):
    # A PNG of 16 bits may be of mode I; a TIFF of mode I or F has no white that it says.
    if image.format != "PNG" and image.mode in ("I", "F"):
        kind = "floating-point" if image.mode == "F" else "signed or 32-bit"
        raise ValueError(
            f"{image.filename} holds {kind} values, and frames have 8 or 16 bits; "
            "save it as a 16-bit PNG or TIFF, white at 65535"
        )
    if image.format == "PNG":
        return 16 if any("16" in str(tile.args) for tile in image.tile) else 8
    if image.format == "TIFF":
        return 16 if 16 in image.tag_v2.get(BITS_PER_SAMPLE, ()) else 8
    return 8


def _deep(path, alpha):
    """A 16-bit image; Pillow reads these with 8."""
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{path} cannot be read as an image of 16 bits")
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    pixels = cv2.cvtColor(
        pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[-1] == 4 else cv2.COLOR_BGR2RGB
    )
    if alpha and pixels.shape[-1] == 3:
        opaque = np.full_like(pixels[..., :1], np.iinfo(pixels.dtype).max)
        pixels = np.concatenate([pixels, opaque], axis=-1)
    return pixels if alpha else np.ascontiguousarray(pixels[..., :3])
