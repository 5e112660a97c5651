"""How long the last frame of an animated PNG is shown.

FFmpeg's muxer takes it before the first frame, when it is not known, so the finished file is
edited.
"""

import struct
import zlib
from fractions import Fraction
from pathlib import Path

SIGNATURE = 8  # bytes
CONTROL = b"fcTL"  # of a frame (PNG specification, 11.3.6.2)
DELAY = 20  # bytes before the delay in it: a 16-bit numerator, a 16-bit denominator
FINEST, LARGEST = 1000, 65535  # parts of a second; of 16 bits


def set_last_delay(path: Path, seconds: Fraction) -> None:
    """Write into a finished file how long its last frame is shown; a file of one frame has no such
    field and stays as it is.
    """
    with open(path, "r+b") as file:
        place = _last_control(file)
        if place is None:
            return
        file.seek(place)
        content = bytearray(file.read(len(CONTROL) + DELAY + 6))
        finest = FINEST if seconds * FINEST <= LARGEST else 1
        delay = min(seconds.limit_denominator(finest), Fraction(LARGEST))
        struct.pack_into(">HH", content, len(CONTROL) + DELAY, delay.numerator, delay.denominator)
        file.seek(place)
        file.write(content + struct.pack(">I", zlib.crc32(content)))


def _last_control(file):
    """Where the name of the last chunk that controls a frame stands, or None."""
    place, found = SIGNATURE, None
    file.seek(place)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == CONTROL:
            found = place + 4
        place += 12 + length  # its length, name, content and checksum
        file.seek(place)
    return found
