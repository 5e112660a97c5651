"""Calls that differ between the versions of PyAV that pyproject.toml admits."""

from fractions import Fraction
from typing import Any

import av

# PyAV 19 always keeps bytes of metadata that are not UTF-8; PyAV 18 only on request, and raises
# UnicodeDecodeError otherwise.
_KEEP_BYTES: dict[str, Any] = (
    {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "surrogateescape"}
)


def open_file(file: Any, mode: Any = "r", **options: Any) -> Any:
    """`av.open`, which reads and writes metadata that is not UTF-8 byte for byte.

    Args:
      file: a path, taken as one whatever it holds, such as colons; or a file object.
      mode: "r" or "w".
      **options: of `av.open`.

    Returns:
      The container; its strings hold bytes that are not UTF-8 as lone surrogates
      (`errors="surrogateescape"`).

    Raises:
      av.FFmpegError: the file cannot be opened.
      ValueError: no such format.
    """
    if isinstance(file, str):
        file = f"file:{file}"  # FFmpeg would take what is before a colon for a protocol
    return av.open(file, mode, **_KEEP_BYTES, **options)


def exact(rational: Any) -> Fraction | None:
    """A rate, time base or aspect ratio of PyAV as a `Fraction`; None where it is not set.

    PyAV 18 gives a `Fraction` or None. PyAV 19 gives an `AVRational`, whose arithmetic rounds to 32
    bits and which is 0/1 or 0/0 where it is not set.
    """
    return Fraction(rational.numerator, rational.denominator) if rational else None
