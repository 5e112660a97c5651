"""The colour space of image files, represented by PNG chunks."""

import dataclasses
import struct
import zlib
from collections.abc import Sequence
from typing import Any, BinaryIO

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CARRIED = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
WHITE_POINT, PRIMARIES, ICC_PROFILE = 318, 319, 34675  # TIFF tags
CHROMATICITY = 100_000  # steps per 1 in cHRM (PNG specification, 11.3.2.1)


@dataclasses.dataclass(frozen=True)
class Colour:
    """The colour space of an image: ICC profile, gamma, primaries.

    Attributes:
      chunks: complete PNG chunks that declare it; empty: not declared.
      space: colour space of the ICC profile: "RGB", "GRAY", "CMYK" ...; "" without a profile.
    """

    chunks: bytes = b""
    space: str = ""

    @property
    def profile(self) -> bytes:
        """The ICC profile; empty if there is none."""
        data = self._chunk(b"iCCP")
        return zlib.decompress(data[data.index(0) + 2 :]) if data else b""

    @property
    def primaries(self) -> tuple[float, ...]:
        """Chromaticities (x, y) of red, green, blue and white; empty if not declared."""
        data = self._chunk(b"cHRM")
        if not data:
            return ()
        white_x, white_y, *rest = (one / CHROMATICITY for one in struct.unpack(">8I", data))
        return (*rest, white_x, white_y)

    @property
    def codes(self) -> tuple[int, int] | None:
        """Codes of primaries and transfer in ITU-T H.273; None if not declared."""
        data = self._chunk(b"cICP")
        return (data[0], data[1]) if data else None

    def _chunk(self, wanted):
        """The data of a chunk; empty if there is none."""
        at = 0
        while at < len(self.chunks):
            length, kind = struct.unpack(">I4s", self.chunks[at : at + 8])
            if kind == wanted:
                return self.chunks[at + 8 : at + 8 + length]
            at += length + 12
        return b""

    def fits(self, *, grey: bool) -> bool:
        """Whether a grey or RGB image can have this colour space."""
        return self.space in ("", "GRAY" if grey else "RGB")


PLAIN = Colour()


def of_image(image: Image.Image, file: BinaryIO) -> Colour:
    """The colour space of an image opened by Pillow."""
    profile = image.info.get("icc_profile") or b""
    if image.format == "PNG":
        return Colour(_png_chunks(file), _space(profile))
    return Colour(_icc_chunk(profile), _space(profile))


def of_codes(primaries: int, transfer: int) -> Colour:
    """A colour space from codes in ITU-T H.273, as in video."""
    return Colour(_chunk(b"cICP", bytes([primaries, transfer, 0, 1])))  # RGB, full range


def of_primaries(primaries: Sequence[float]) -> Colour:
    """A colour space from chromaticities (x, y) of red, green, blue and white, if there are any."""
    if len(primaries) != 8:
        return PLAIN
    ordered = [*primaries[6:], *primaries[:6]]
    return Colour(_chunk(b"cHRM", struct.pack(">8I", *(round(v * CHROMATICITY) for v in ordered))))


def of_tiff(tags: Any) -> Colour:
    """The colour space declared by a TIFF's tags."""
    profile = tags.get(ICC_PROFILE) or b""
    if profile:
        return Colour(_icc_chunk(profile), _space(profile))
    return of_primaries([float(v) for tag in (PRIMARIES, WHITE_POINT) for v in tags.get(tag, ())])


def insert(png: bytes, colour: Colour) -> bytes:
    """A PNG file's bytes with the chunks inserted after its header."""
    end = len(SIGNATURE) + 25  # end of IHDR, the first chunk
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


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
