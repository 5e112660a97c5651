"""TIFF files of every kind, written byte by byte, because no installed library writes them all."""

import struct
import zlib

import numpy as np

SHORT, LONG = 3, 4  # types of a tag's values


def tiff(
    pages,
    bits,
    *,
    form=1,
    photometric=None,
    planar=False,
    deflate=False,
    order="<",
    orientation=1,
    subfiles=None,
    alpha=2,
):
    """The bytes of a file.

    Args:
      pages: arrays `[H, W]` or `[H, W, S]` of samples.
      bits: of a sample, packed without gaps.
      form: 1 unsigned, 2 signed, 3 floating point.
      photometric: 0 white is zero, 1 black is zero, 2 RGB; by the number of samples by default.
      planar: each plane by itself.
      deflate: compressed.
      order: "<" or ">".
      orientation: the tag.
      subfiles: NewSubfileType of each page.
      alpha: what a sample past the colours is; 1 and 2 are alpha.
    """
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 0))
    link = 4
    for number, page in enumerate(pages):
        page = np.atleast_3d(page)
        height, width, samples = page.shape
        planes = [page[..., s] for s in range(samples)] if planar else [page]
        places, sizes = [], []
        for plane in planes:
            data = _packed(plane.reshape(height, -1), bits, order)
            data = zlib.compress(data) if deflate else data
            places.append(len(out))
            sizes.append(len(data))
            out += data + b"\0" * (len(data) % 2)
        meaning = photometric if photometric is not None else 2 if samples >= 3 else 1
        extra = samples - (3 if meaning == 2 else 1)
        tags = [
            (254, LONG, [subfiles[number] if subfiles else 0]),
            (256, LONG, [width]),
            (257, LONG, [height]),
            (258, SHORT, [bits] * samples),
            (259, SHORT, [8 if deflate else 1]),
            (262, SHORT, [meaning]),
            (273, LONG, places),
            (274, SHORT, [orientation]),
            (277, SHORT, [samples]),
            (278, LONG, [height]),
            (279, LONG, sizes),
            (284, SHORT, [2 if planar else 1]),
            *([(338, SHORT, [alpha] * extra)] if extra else []),
            (339, SHORT, [form] * samples),
        ]
        out[link : link + 4] = struct.pack(order + "I", len(out))
        link = _directory(out, tags, order)
    return bytes(out)


def _directory(out, tags, order):
    """Appends the tags; returns where the place of the next directory is to be written."""
    start = len(out)
    end = start + 2 + 12 * len(tags) + 4
    body, tail = struct.pack(order + "H", len(tags)), b""
    for tag, kind, values in tags:
        value = struct.pack(order + {SHORT: "H", LONG: "I"}[kind] * len(values), *values)
        if len(value) > 4:
            tail, value = tail + value, struct.pack(order + "I", end + len(tail))
        body += struct.pack(order + "HHI", tag, kind, len(values)) + value.ljust(4, b"\0")
    out += body + b"\0\0\0\0" + tail
    out += b"\0" * (len(out) % 2)
    return end - 4


def _packed(rows, bits, order):
    if bits in (8, 16, 32, 64):
        return rows.astype(rows.dtype.newbyteorder(order)).tobytes()
    # The highest bit first, each row on bytes of its own.
    ones = rows[..., None].astype(np.uint32) >> np.arange(bits - 1, -1, -1) & 1
    return np.packbits(ones.reshape(len(rows), -1).astype(np.uint8), axis=-1).tobytes()
