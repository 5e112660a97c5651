"""Calls that differ between the supported versions of PyAV."""

from fractions import Fraction
from typing import Any

import av

# PyAV 19 always keeps bytes of metadata that are not UTF-8; PyAV 18 only on request, and raises
# UnicodeDecodeError otherwise.
_KEEP_BYTES: dict[str, Any] = (
    {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "surrogateescape"}
)


def open_file(file: Any, mode: Any = "r", **options: Any) -> Any:
    """`av.open` that preserves metadata that is not UTF-8 byte for byte.

    Args:
      file: a path, which may contain colons, or a file object.
      mode: "r" or "w".
      **options: options of `av.open`.

    Returns:
      The container; in its strings, bytes that are not UTF-8 are lone surrogates
      (`errors="surrogateescape"`).

    Raises:
      av.FFmpegError: the file cannot be opened.
      ValueError: unknown format.
    """
    if isinstance(file, str):
        file = f"file:{file}"  # else FFmpeg reads text before a colon as a protocol
    return av.open(file, mode, **_KEEP_BYTES, **options)


def exact(rational: Any) -> Fraction | None:
    """A rate, time base or aspect ratio of PyAV as a `Fraction`; None if it is not set.

    PyAV 18 has a `Fraction` or None. PyAV 19 has an `AVRational`, whose arithmetic rounds to 32
    bits; 0/1 or 0/0 means not set.
    """
    return Fraction(rational.numerator, rational.denominator) if rational else None
