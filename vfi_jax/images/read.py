"""Pixels of image files."""

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
    """An image as shown: any colour mode becomes RGB, EXIF orientation is applied.

    Samples of more than 8 bits are scaled by the file's own depth: white is white, whether the
    file has it at 4095 of 12 bits, at 65535, or at 1 in floating point.

    Args:
      source: the file, or its bytes.
      page: of a file of several pictures; None: there must be only one.
      bits: 8 for uint8, 16 for uint16.
      alpha: with a fourth channel.

    Returns:
      `[H, W, 3 or 4]` uint8 or uint16.

    Raises:
      ValueError: it cannot be decoded, has no such page, or several where one is wanted.
    """
    pictures = read_pages(source, bits=bits, alpha=alpha, first=page or 0)
    with contextlib.closing(pictures):
        pixels = next(pictures, None)
        several = page is None and next(pictures, None) is not None
    if pixels is None:
        raise ValueError(f"{info.named(source)} has no page {page}")
    if several:
        raise ValueError(f"{info.named(source)} holds several pictures and one is wanted")
    return pixels


def read_pages(
    source: Source, *, bits: int = 8, alpha: bool = False, first: int = 0
) -> Generator[np.ndarray]:
    """The pictures of a file in order: pages of a TIFF, frames of a GIF, WebP or animated PNG.

    Args:
      source: the file, or its bytes.
      bits: as `read`.
      alpha: as `read`.
      first: page to begin with.

    Yields:
      What `read` returns.

    Raises:
      ValueError: one cannot be decoded.
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
                raise ValueError("an animated PNG of 16 bits is not read; save its frames")
            if first == 0:
                yield _turned(_deep_png(_bytes(file)), turn)
            return
        for index in range(first, count):
            image.seek(index + info.has_substitute(image))
            yield _turned(_shown(image), turn)


def _shown(image):
    """An image of 8 bits as `[H, W, 3 or 4]`."""
    alpha = "A" in image.getbands() or "transparency" in image.info
    try:
        return np.array(image.convert("RGBA" if alpha else "RGB"))
    except ValueError as error:
        raise ValueError(f"colours of mode {image.mode} cannot be decoded: {error}") from error


def _deep_png(data):
    """A PNG of 16 bits; Pillow reads these with 8."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("its pixels are damaged")
    pixels = np.atleast_3d(pixels)
    if pixels.shape[-1] >= 3:
        pixels[..., :3] = pixels[..., 2::-1]  # OpenCV has blue first
    return pixels


def _bytes(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _turned(pixels, orientation):
    """Upright, as EXIF says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _fitted(pixels, bits, alpha):
    """With the channels and bits that are wanted."""
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
