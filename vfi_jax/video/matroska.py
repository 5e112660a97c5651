"""Pixel aspect ratio in Matroska and WebM files.

FFmpeg's muxer reads it from a field that PyAV cannot set; therefore the finished file is edited.
The track's name, written as a placeholder, makes room for the two elements (RFC 9559, 5.1.4.1.28).
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

PLACEHOLDER = "-" * 40  # a track name that is long enough for the new elements

SEGMENT, TRACKS, TRACK, VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
NAME, VOID, CRC32 = 0x536E, 0xEC, 0xBF
DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2
CRC_ELEMENT, VOID_HEADER = 6, 9  # bytes
LARGEST_HEADER = 12  # maximum bytes of an element's identifier and size


def set_display_size(path: Path, width: int, height: int) -> None:
    """Set the display size of a finished file's video; the length of the file does not change.

    Args:
      path: a Matroska or WebM file whose video track is named `PLACEHOLDER`.
      width: display width in pixels.
      height: display height in pixels.

    Raises:
      ValueError: no track has this name.
    """
    with open(path, "r+b") as file:
        start, end = _find_tracks(file)
        file.seek(start)
        tracks = _edited(file.read(end - start), width, height)
        assert len(tracks) == end - start
        file.seek(start)
        file.write(tracks)


def _find_tracks(file):
    """Start and end of the content of the Tracks element."""
    position, end = 0, file.seek(0, os.SEEK_END)
    while position < end:
        file.seek(position)
        kind, content, size = _header(file.read(LARGEST_HEADER))
        position += content
        if kind == TRACKS:
            return position, position + size
        if kind != SEGMENT:
            position += size
    raise ValueError("the file has no tracks")


def _edited(content, width, height):
    """The content of the Tracks element with the display size in the named track; its length does
    not change."""
    parts = list(_elements(content))
    for index, (kind, body) in enumerate(parts):
        if kind == TRACK and (NAME, PLACEHOLDER.encode()) in _elements(body):
            parts[index] = kind, _shown_at(body, width, height)
            break
    else:
        raise ValueError("no track is named as the placeholder")
    checked = b"".join(_element(*part) for part in parts if part[0] != CRC32)
    has_crc = parts[0][0] == CRC32
    spare = len(content) - len(checked) - CRC_ELEMENT * has_crc
    checked += _element(VOID, bytes(spare - VOID_HEADER), size_bytes=8)
    if not has_crc:
        return checked
    return _element(CRC32, zlib.crc32(checked).to_bytes(4, "little")) + checked


def _shown_at(track, width, height):
    """The content of a track element without its name and with a display size."""
    size = _uint(DISPLAY_WIDTH, width) + _uint(DISPLAY_HEIGHT, height)
    replaced = (DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT)
    parts = b""
    for kind, body in _elements(track):
        if kind == VIDEO:
            kept = (_element(*part) for part in _elements(body) if part[0] not in replaced)
            parts += _element(VIDEO, b"".join(kept) + size)
        elif kind != NAME:
            parts += _element(kind, body)
    return parts


def _elements(content) -> Iterator[tuple[int, bytes]]:
    """Yield (identifier, content) of the elements inside an element."""
    while content:
        kind, start, size = _header(content)
        yield kind, content[start : start + size]
        content = content[start + size :]


def _header(data):
    """(identifier, length of the header, length of the content) of the first element."""
    kind_bytes = 9 - data[0].bit_length()
    size_bytes = 9 - data[kind_bytes].bit_length()
    end = kind_bytes + size_bytes
    marked = int.from_bytes(data[kind_bytes:end], "big")
    return int.from_bytes(data[:kind_bytes], "big"), end, marked ^ (1 << 7 * size_bytes)


def _element(kind, body, size_bytes=0):
    """An element; its size takes `size_bytes` bytes, or as few as possible if 0."""
    size_bytes = size_bytes or max(1, -(-(len(body) + 1).bit_length() // 7))
    size = (len(body) | 1 << 7 * size_bytes).to_bytes(size_bytes, "big")
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + size + body


def _uint(kind, value):
    return _element(kind, value.to_bytes(4, "big"))
