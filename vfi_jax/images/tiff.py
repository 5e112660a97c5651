"""TIFF files: image pages, and pixel formats that Pillow does not read at full depth.

Pillow does not support 10, 12 and 14-bit samples, reads 16-bit colour as 8 bits and rejects
floating-point colour. OpenCV decodes these, but does not invert white-is-zero and misreads separate
planes.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import cv2
import numpy as np
from PIL import TiffImagePlugin

from vfi_jax.images.colour import Colour, of_tiff

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # + is BigTIFF
UNSIGNED, SIGNED, FLOAT = 1, 2, 3  # SampleFormat
KINDS = {UNSIGNED: "unsigned", SIGNED: "signed", FLOAT: "floating-point"}
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # PhotometricInterpretation
REDUCED, MASK = 1, 4  # bits of NewSubfileType: a preview, a mask of another page
ASSOCIATED, UNASSOCIATED = 1, 2  # ExtraSamples: premultiplied alpha, or not
DEEP = {  # formats that OpenCV decodes
    *((bits, UNSIGNED) for bits in (10, 12, 14, 16, 32)),
    *((bits, SIGNED) for bits in (16, 32)),
    *((bits, FLOAT) for bits in (32, 64)),
}
TOGETHER = 2**23  # maximum number of samples decoded at a time
FAINTEST = 1e-6  # alpha below which colours are undefined
OVERSHOOT = 0.1  # beyond black and white, from resampling; clipped


@dataclasses.dataclass(frozen=True)
class Page:
    """A page, from its tags.

    Attributes:
      index: index of the page in the file.
      size: displayed (width, height) in pixels.
      bits: bits per sample.
      form: sample format: UNSIGNED, SIGNED or FLOAT.
      samples: samples per pixel.
      photometric: photometric interpretation.
      planar: whether planes are stored separately.
      extra: meaning of the extra sample.
      colour: the colour space.
    """

    index: int
    size: tuple[int, int]
    bits: tuple[int, ...]
    form: tuple[int, ...]
    samples: int
    photometric: int
    planar: bool
    extra: tuple[int, ...]
    colour: Colour

    @property
    def deep(self) -> bool:
        """Whether Pillow would lose precision."""
        return max(self.bits) > 8 or not {*self.form} <= {UNSIGNED, 4}

    @property
    def depth(self) -> int:
        """Bits of the samples returned: 8, 16, or 32 for floating point."""
        return 32 if FLOAT in self.form else 16 if self.deep else 8

    @property
    def grey(self) -> bool:
        """Whether it is a grey image without alpha."""
        return self.samples == 1 and self.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO)

    @property
    def alpha(self) -> bool:
        """Whether it has transparency."""
        return self.extra[:1] in ((ASSOCIATED,), (UNASSOCIATED,))


def pages(file: BinaryIO) -> list[Page]:
    """The image pages of a file, without previews and masks; empty if it is not a TIFF.

    Raises:
      SyntaxError: the file is damaged.
    """
    file.seek(0)
    head = file.read(8)
    if head[:4] not in MAGICS:
        file.seek(0)
        return []
    if head[2:4] in (b"+\0", b"\0+"):
        head += file.read(8)
    offset = TiffImagePlugin.ImageFileDirectory_v2(head).next
    found: list[Page] = []
    seen: set[int] = set()
    while offset and offset not in seen:
        seen.add(offset)
        file.seek(offset)
        tags = TiffImagePlugin.ImageFileDirectory_v2(head)
        tags.load(file)
        offset = tags.next
        if not tags.get(254, 0) & (REDUCED | MASK):
            found.append(_page(len(seen) - 1, tags))
    if not found:
        raise SyntaxError("the TIFF contains no image")
    file.seek(0)
    return found


def read_deep(pages: Sequence[Page], data: np.ndarray) -> Iterator[np.ndarray]:
    """Read pages whose samples Pillow does not read at full depth.

    Args:
      pages: the pages to read, in file order.
      data: uint8, the file's bytes.

    Yields:
      `[H, W, 1, 3 or 4]`, RGB, upright, alpha not premultiplied: uint16, white at 65535; float32,
      white at 1, for floating-point samples.

    Raises:
      ValueError: it cannot be decoded, or the range of its values is undefined.
    """
    # OpenCV seeks a page by skipping all earlier ones: reading them one at a time is quadratic.
    most = max(1, TOGETHER // (pages[0].size[0] * pages[0].size[1] * pages[0].samples))
    for start in range(0, len(pages), most):
        run = pages[start : start + most]
        kinds = [_decodable(page) for page in run]
        first, end = run[0].index, run[-1].index + 1
        _, found = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED, range=(first, end))
        if len(found) != end - first:
            what = "are damaged, or use a compression that OpenCV does not support"
            raise ValueError(f"the TIFF's {kinds[0]} samples {what}")
        yield from (_finished(page, found[page.index - first]) for page in run)


def _finished(page, decoded):
    pixels = _scaled(np.atleast_3d(decoded), page.bits[0], page.form[0])
    real = pixels.dtype == np.float32
    if page.photometric == WHITE_IS_ZERO:
        pixels = (np.float32(1) if real else np.uint16(65535)) - pixels
    if pixels.shape[-1] >= 3:
        pixels[..., :3] = pixels[..., 2::-1]  # OpenCV uses BGR
    if page.alpha and page.extra[0] == ASSOCIATED:
        if real:
            pixels[..., :3] /= np.maximum(pixels[..., 3:], FAINTEST)
        else:
            colours = pixels[..., :3] * np.float64(65535) / np.maximum(pixels[..., 3:], 1)
            pixels[..., :3] = np.rint(np.minimum(colours, 65535))
    return pixels if page.alpha or page.samples < 4 else pixels[..., :3]


def _page(index, tags):
    if not {256, 257} <= set(tags):
        raise SyntaxError(f"page {index} has no width or no height")
    size = tags[256], tags[257]
    samples = tags.get(277, 1)
    return Page(
        index=index,
        size=size[::-1] if tags.get(274, 1) >= 5 else size,
        bits=_several(tags.get(258, (1,))),
        form=_several(tags.get(339, (UNSIGNED,))),
        samples=samples,
        photometric=tags.get(262, BLACK_IS_ZERO),
        planar=tags.get(284, 1) == 2 and samples > 1,
        extra=_several(tags.get(338, ())),
        colour=of_tiff(tags),
    )


def _several(value):
    return value if isinstance(value, tuple) else (value,)


def _decodable(page):
    """Description of the samples; raises a ValueError if OpenCV does not decode them correctly."""
    kind = f"{page.bits[0]}-bit {KINDS.get(page.form[0], 'unknown')}"
    way = "save it as a 16-bit PNG or TIFF, white at 65535"
    if len({*page.bits}) > 1 or len({*page.form}) > 1 or (page.bits[0], page.form[0]) not in DEEP:
        raise ValueError(f"TIFF samples of {page.bits} bits, {kind}, cannot be decoded; {way}")
    if page.planar:
        raise ValueError(f"{kind} samples in separate planes cannot be decoded; {way}")
    greys = page.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO) and page.samples == 1
    if not greys and not (page.photometric == RGB and page.samples in (3, 4)):
        raise ValueError(
            f"{page.samples} {kind} samples a pixel that are neither grey nor RGB (TIFF's "
            f"photometric interpretation {page.photometric}) cannot be decoded; {way}"
        )
    return kind


def _scaled(values, bits, form):
    """Samples as uint16, white at 65535; floating-point samples as float32, white at 1."""
    if form == FLOAT:
        unknown = np.count_nonzero(~np.isfinite(values))
        if unknown:
            raise ValueError(
                f"{unknown} of {values.size} values are NaN or infinite; fill them, "
                "such as with cv2.inpaint, and save the image again"
            )
        low, high = float(values.min()), float(values.max())
        if low < -OVERSHOOT or high > 1 + OVERSHOOT:
            raise ValueError(
                f"values range from {low:g} to {high:g}; floating-point images need black at 0 "
                "and white at 1: rescale them, save them as 16-bit integers, or save linear light "
                "as EXR"
            )
        return values.astype(np.float32)
    if form == SIGNED:
        if values.min() < 0:
            raise ValueError(f"negative values down to {values.min()}; black is 0 in an image")
        bits -= 1
    elif bits < 16:
        values = values >> (16 - bits)  # OpenCV left-aligns them in 16 bits
    if bits == 16:
        return values
    return np.rint(values * (65535 / (2**bits - 1))).astype(np.uint16)
