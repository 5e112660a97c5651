"""Reading the pixels of image files."""

import contextlib
import itertools
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from vfi_jax.images import info, tiff
from vfi_jax.images.info import Source


def read(
    source: Source, *, page: int | None = None, bits: int = 8, alpha: bool = False
) -> np.ndarray:
    """Read an image as displayed: converted to RGB, with EXIF orientation applied.

    Samples of more than 8 bits are scaled by the file's bit depth, so that white is 65535 for
    12-bit (4095), 16-bit and floating-point (1.0) files.

    Args:
      source: the file, or its bytes.
      page: index of an image in the file; None: the file must have only one.
      bits: 8 for uint8, 16 for uint16.
      alpha: add a fourth channel.

    Returns:
      `[H, W, 3 or 4]` uint8 or uint16.

    Raises:
      ValueError: it cannot be decoded, does not have this page, or has several pages and `page` is
        None.
    """
    pictures = read_pages(source, bits=bits, alpha=alpha, first=page or 0)
    with contextlib.closing(pictures):
        pixels = next(pictures, None)
        several = page is None and next(pictures, None) is not None
    if pixels is None:
        raise ValueError(f"{info.named(source)} has no page {page}")
    if several:
        raise ValueError(f"{info.named(source)} contains several images, expected one")
    return pixels


def read_pages(
    source: Source, *, bits: int = 8, alpha: bool = False, first: int = 0
) -> Generator[np.ndarray]:
    """The images of a file in order: pages of a TIFF, frames of a GIF, WebP or animated PNG.

    Args:
      source: the file, or its bytes.
      bits: as in `read`.
      alpha: as in `read`.
      first: first page.

    Yields:
      Images as returned by `read`.

    Raises:
      ValueError: an image cannot be decoded.
    """
    with info.opened(source) as file:
        pages = tiff.pages(file)
        pictures = _tiff_pages(source, file, pages[first:]) if pages else _frames(file, first)
        for pixels in pictures:
            yield _fitted(pixels, bits, alpha)


def _tiff_pages(source, file, pages):
    mapped = isinstance(source, Path) and any(page.deep for page in pages)
    data = np.memmap(source, np.uint8, "r") if mapped else np.frombuffer(_bytes(file), np.uint8)
    image = None
    for deep, run in itertools.groupby(pages, key=lambda page: page.deep):
        if deep:
            yield from tiff.read_deep(list(run), data)
            continue
        image = image or Image.open(file)
        for page in run:
            image.seek(page.index)
            yield _shown(image)


def _frames(file, first):
    with Image.open(file) as image:
        count = info.count_frames(image)
        turn = info.orientation(image)
        if info.bits_of(image) == 16:
            if count > 1:
                raise ValueError("16-bit animated PNGs are not supported; save single frames")
            if first == 0:
                yield _turned(_deep_png(_bytes(file)), turn)
            return
        for index in range(first, count):
            image.seek(index + info.has_substitute(image))
            yield _turned(_shown(image), turn)


def _shown(image):
    """An 8-bit image as `[H, W, 3 or 4]`."""
    alpha = "A" in image.getbands() or "transparency" in image.info
    try:
        return np.array(image.convert("RGBA" if alpha else "RGB"))
    except ValueError as error:
        raise ValueError(f"colours of mode {image.mode} cannot be decoded: {error}") from error


def _deep_png(data):
    """A 16-bit PNG, which Pillow would read with 8 bits."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("its pixels are damaged")
    pixels = np.atleast_3d(pixels)
    if pixels.shape[-1] >= 3:
        pixels[..., :3] = pixels[..., 2::-1]  # OpenCV uses BGR
    return pixels


def _bytes(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _turned(pixels, orientation):
    """Rotate the pixels upright according to EXIF."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _fitted(pixels, bits, alpha):
    """Convert to the requested channels and bits."""
    if pixels.shape[-1] == 1:
        pixels = pixels.repeat(3, axis=-1)
    if alpha and pixels.shape[-1] == 3:
        opaque = np.full_like(pixels[..., :1], np.iinfo(pixels.dtype).max)
        pixels = np.concatenate([pixels, opaque], axis=-1)
    elif not alpha and pixels.shape[-1] == 4:
        pixels = np.ascontiguousarray(pixels[..., :3])
    if bits == 16 and pixels.dtype == np.uint8:
        return pixels.astype(np.uint16) * np.uint16(257)
    if bits == 8 and pixels.dtype == np.uint16:
        return np.rint(pixels / np.float32(257)).astype(np.uint8)
    return pixels
