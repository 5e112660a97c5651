"""Properties of image files, read from their headers."""

import contextlib
import dataclasses
import io
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import cv2
from PIL import Image, UnidentifiedImageError

from vfi_jax.images import exr, tiff
from vfi_jax.images.colour import PLAIN, Colour, of_image, of_primaries

ORIENTATION = 0x0112  # EXIF tag
ANIMATED = ("GIF", "PNG", "WEBP")  # formats with animations; further images in a JPEG are previews
# Exceptions of decoders for damaged, truncated and other files.
DAMAGED = (OSError, SyntaxError, EOFError, struct.error, ValueError, cv2.error)
Source = Path | bytes


@dataclasses.dataclass(frozen=True)
class Info:
    """Properties of an image file, read from its header.

    Attributes:
      format: "PNG", "TIFF" and so on, as Pillow names it.
      size: displayed (width, height) in pixels.
      bits: 8 per channel, 32 for floating point, or 16 for other higher bit depths.
      alpha: whether it has transparency.
      grey: whether it has one channel.
      pages: number of images in the file.
      durations: display time of each frame of an animated WebP in seconds; otherwise empty.
      colour: the colour space.
      linear: whether values are linear light of any range, as in EXR files.
      aspect: pixel aspect ratio, width over height; 1 if the format has none.
    """

    format: str
    size: tuple[int, int]
    bits: int
    alpha: bool
    grey: bool
    pages: int = 1
    durations: tuple[Fraction, ...] = ()
    colour: Colour = PLAIN
    linear: bool = False
    aspect: float = 1.0


def inspect(paths: Sequence[Path]) -> list[Info]:
    """The properties of images of equal size.

    Raises:
      ValueError: a file is not an image or has another size; the message names it.
    """
    found = [read_info(path) for path in paths]
    for path, info in zip(paths, found, strict=True):
        if info.size != found[0].size:
            raise ValueError(
                f"{path} is {info.size[0]}x{info.size[1]}, but {paths[0].name} is "
                f"{found[0].size[0]}x{found[0].size[1]}; all images must have one size"
            )
    return found


def read_info(path: Path) -> Info:
    """The properties of an image.

    Raises:
      ValueError: it is not an image.
    """
    with opened(path) as file:
        if is_exr(file):
            return _of_exr(exr.read_header(path))
        if pages := tiff.pages(file):
            return _of_pages(pages)
        with Image.open(file) as image:
            count = count_frames(image)
            alpha = "A" in image.getbands() or "transparency" in image.info
            return Info(
                format=str(image.format),
                size=image.size[::-1] if orientation(image) >= 5 else image.size,
                bits=bits_of(image),
                alpha=alpha,
                grey=image.mode in ("1", "L", "I", "I;16") and not alpha and count == 1,
                pages=count,
                durations=_durations(image, count),
                colour=of_image(image, file),
            )


def loop(path: Path) -> int:
    """Loop count of an animation: 0 endless, -1 plays once, n repeats n times."""
    with Image.open(path) as image:
        return image.info.get("loop", -1)


@contextlib.contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """Open an image file or bytes; errors of decoders then name it.

    Raises:
      ValueError: it does not exist, or reading inside the context fails.
    """
    if isinstance(source, Path) and not source.exists():
        raise ValueError(f"image {source} does not exist")
    try:
        with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
            yield file
    except (*DAMAGED, Image.DecompressionBombError) as error:
        # Pillow's message for unknown formats quotes a file object.
        unknown = isinstance(error, UnidentifiedImageError)
        why = "unknown format" if unknown else error
        raise ValueError(f"{named(source)} cannot be read as an image: {why}") from error


def is_exr(file: BinaryIO) -> bool:
    """Whether an opened file is an EXR."""
    head = file.read(len(exr.MAGIC))
    file.seek(0)
    return head == exr.MAGIC


def named(source: Source) -> str:
    """Name of a file, or of bytes, for error messages."""
    return str(source) if isinstance(source, Path) else f"a file of {len(source)} bytes"


def orientation(image: Image.Image) -> int:
    """EXIF orientation of an image opened by Pillow; 1: upright."""
    if image.format == "TIFF":
        return 1  # Pillow and OpenCV rotate these themselves
    # Pillow would decode a whole PNG to search for the tag after the pixels.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return image.getexif().get(ORIENTATION, 1)


def bits_of(image: Image.Image) -> int:
    """8 or 16 per channel.

    Raises:
      ValueError: Pillow's decoded values have no defined white.
    """
    if image.format == "PNG":
        return 16 if any("16" in str(tile.args) for tile in getattr(image, "tile", ())) else 8
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        raise ValueError(
            f"{image.format} images of more than 8 bits are not supported; save it as a 16-bit "
            "PNG or TIFF, white at 65535"
        )
    return 8


def count_frames(image: Image.Image) -> int:
    """Number of frames of an animation without its fallback image; otherwise 1."""
    if image.format not in ANIMATED:
        return 1
    count = getattr(image, "n_frames", 1)
    return count - 1 if count > 1 and has_substitute(image) else count


def has_substitute(image: Image.Image) -> bool:
    """Whether the first image of an animated PNG is a fallback for readers without animation."""
    return bool(getattr(image, "default_image", False))


def _of_exr(header):
    names = exr.channels(header)
    return Info(
        format="EXR",
        size=exr.size(header),
        bits=32,
        alpha="A" in names,
        grey=names == ["Y"],
        colour=of_primaries(header.get("chromaticities", ())),
        linear=True,
        aspect=header.get("pixelAspectRatio", 1.0),
    )


def _of_pages(pages):
    sizes = {page.size for page in pages}
    if len(sizes) > 1:
        raise ValueError(f"its pages have sizes {sorted(sizes)}; all frames must have one size")
    return Info(
        format="TIFF",
        size=pages[0].size,
        bits=max(page.depth for page in pages),
        alpha=any(page.alpha for page in pages),
        grey=all(page.grey for page in pages),
        pages=len(pages),
        colour=pages[0].colour,
    )


def _durations(image, count):
    """Durations of an animated WebP, which are known only after decoding each frame."""
    if image.format != "WEBP" or count == 1:
        return ()
    found = []
    for index in range(count):
        image.seek(index)
        image.load()
        found.append(Fraction(image.info["duration"], 1000))
    return tuple(found)
