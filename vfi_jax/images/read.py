"""Reading the pixels of image files."""

import contextlib
import itertools
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from vfi_jax.images import exr, info, tiff
from vfi_jax.images.info import Source


def read(
    source: Source, *, page: int | None = None, bits: int = 8, alpha: bool = False
) -> np.ndarray:
    """Read an image as displayed: converted to RGB, with EXIF orientation applied.

    Samples of more than 8 bits are scaled by the file's bit depth, so that white is 65535 for
    12-bit (4095), 16-bit and floating-point (1.0) files. Linear light (EXR) is converted to
    integers by sRGB's curve and clipped at 1.

    Args:
      source: the file, or its bytes.
      page: index of an image in the file; None: the file must have only one.
      bits: 8 for uint8, 16 for uint16, 32 for float32.
      alpha: add a fourth channel; float32 colours are premultiplied by it.

    Returns:
      `[H, W, 3 or 4]` uint8, uint16 or float32.

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
        if linear := info.is_exr(file):
            if not isinstance(source, Path):
                raise ValueError("an EXR must be read from a file, not from bytes")
            pictures = iter([] if first else [exr.read(source)])
        else:
            pages = tiff.pages(file)
            pictures = _tiff_pages(source, file, pages[first:]) if pages else _frames(file, first)
        for pixels in pictures:
            yield _fitted(pixels, bits, alpha, linear)


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


def _fitted(pixels, bits, alpha, linear):
    """Convert to the requested channels and bits."""
    if pixels.shape[-1] == 1:
        pixels = pixels.repeat(3, axis=-1)
    if pixels.dtype == np.float32 and bits != 32:
        pixels = displayed(pixels, linear=linear, associated=linear)
    if alpha and pixels.shape[-1] == 3:
        white = 1 if pixels.dtype == np.float32 else np.iinfo(pixels.dtype).max
        opaque = np.full_like(pixels[..., :1], white)
        pixels = np.concatenate([pixels, opaque], axis=-1)
    elif not alpha and pixels.shape[-1] == 4:
        pixels = np.ascontiguousarray(pixels[..., :3])
    if bits == 16 and pixels.dtype == np.uint8:
        return pixels.astype(np.uint16) * np.uint16(257)
    if bits == 8 and pixels.dtype == np.uint16:
        return np.rint(pixels / np.float32(257)).astype(np.uint8)
    if bits == 32 and not linear:
        return _real(pixels)
    return pixels


def displayed(pixels: np.ndarray, *, linear: bool, associated: bool = True) -> np.ndarray:
    """Convert `[H, W, 3 or 4]` float32 to uint16 with unassociated alpha.

    Args:
      pixels: black 0, white 1; other values are clipped.
      linear: values are linear light, to be converted by sRGB's curve (IEC 61966-2-1).
      associated: colours are premultiplied by alpha.
    """
    colours, opacity = pixels[..., :3].astype(np.float64), pixels[..., 3:]
    if opacity.size and associated:
        colours = colours / np.maximum(opacity, tiff.FAINTEST)
    colours = colours.clip(0, 1)
    if linear:
        bright = 1.055 * np.power(colours, 1 / 2.4) - 0.055
        colours = np.where(colours <= 0.0031308, 12.92 * colours, bright)
    whole = np.concatenate([colours, opacity.clip(0, 1)], axis=-1)
    return np.rint(whole * 65535).astype(np.uint16)


def _real(pixels):
    """As float32, white at 1, premultiplied by alpha."""
    if pixels.dtype != np.float32:
        pixels = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    if pixels.shape[-1] == 4:
        pixels = np.concatenate([pixels[..., :3] * pixels[..., 3:], pixels[..., 3:]], axis=-1)
    return pixels
