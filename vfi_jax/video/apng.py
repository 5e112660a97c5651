"""Display duration of the last frame of an animated PNG.

FFmpeg's muxer needs it before the first frame, when it is not yet known; therefore the finished
file is edited.
"""

import struct
import zlib
from fractions import Fraction
from pathlib import Path

SIGNATURE = 8  # bytes
CONTROL = b"fcTL"  # of a frame (PNG specification, 11.3.6.2)
DELAY = 20  # offset in bytes of the delay: a 16-bit numerator and a 16-bit denominator
FINEST, LARGEST = 1000, 65535  # largest denominators: milliseconds, and what 16 bits hold


def set_last_delay(path: Path, seconds: Fraction) -> None:
    """Set the display duration of the last frame in a finished file.

    A file with a single frame has no such field and is not changed.

    Args:
      path: an animated PNG.
      seconds: the duration.
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
    """File position of the name of the last frame control chunk, or None."""
    place, found = SIGNATURE, None
    file.seek(place)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == CONTROL:
            found = place + 4
        place += 12 + length  # length, name, content and checksum
        file.seek(place)
    return found
