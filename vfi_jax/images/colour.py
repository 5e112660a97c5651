"""The colour space of image files, carried from file to file as PNG chunks."""

import dataclasses
import struct
import zlib
from typing import Any, BinaryIO

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CARRIED = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
WHITE_POINT, PRIMARIES, ICC_PROFILE = 318, 319, 34675  # TIFF tags
CHROMATICITY = 100_000  # steps of 1 in cHRM (PNG specification, 11.3.2.1)


@dataclasses.dataclass(frozen=True)
class Colour:
    """The colour space of an image: ICC profile, gamma, primaries.

    Attributes:
      chunks: complete PNG chunks that declare it; empty: not declared.
      space: colour space of the ICC profile: "RGB", "GRAY", "CMYK" ...; "" without a profile.
    """

    chunks: bytes = b""
    space: str = ""

    def fits(self, *, grey: bool) -> bool:
        """Whether a grey (or RGB) image may declare it."""
        return self.space in ("", "GRAY" if grey else "RGB")


PLAIN = Colour()


def of_image(image: Image.Image, file: BinaryIO) -> Colour:
    """The colour space of an image opened by Pillow."""
    profile = image.info.get("icc_profile") or b""
    if image.format == "PNG":
        return Colour(_png_chunks(file), _space(profile))
    return Colour(_icc_chunk(profile), _space(profile))


def of_tiff(tags: Any) -> Colour:
    """The colour space declared by a TIFF's tags."""
    profile = tags.get(ICC_PROFILE) or b""
    return Colour(_icc_chunk(profile) or _primaries_chunk(tags), _space(profile))


def insert(png: bytes, colour: Colour) -> bytes:
    """A PNG file's bytes with the chunks inserted after its header."""
    end = len(SIGNATURE) + 25  # of IHDR, which comes first
    return png[:end] + colour.chunks + png[end:]


def _png_chunks(file):
    """The chunks before the pixels."""
    file.seek(len(SIGNATURE))
    found = b""
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind in (b"IDAT", b"IEND"):
            break
        rest = file.read(length + 4)
        if kind in CARRIED:
            found += head + rest
    return found


def _space(profile):
    return profile[16:20].decode("latin-1").strip()


def _icc_chunk(profile):
    # A name, the method 0 (deflate), the profile (PNG specification, 11.3.2.3).
    return _chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile)) if profile else b""


def _primaries_chunk(tags):
    values = [float(one) for tag in (WHITE_POINT, PRIMARIES) for one in tags.get(tag, ())]
    if len(values) != 8:
        return b""
    return _chunk(b"cHRM", struct.pack(">8I", *(round(one * CHROMATICITY) for one in values)))


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
