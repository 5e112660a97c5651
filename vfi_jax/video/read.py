"""Opening a video or a folder of images."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from vfi_jax.video import colour, images
from vfi_jax.video.decode import Video
from vfi_jax.video.source import DEFAULT_RATE, Frame, Picture, Source


def open_source(path: Path, *, rate: Fraction | None = None) -> Source:
    """A video file or a folder of images, opened.

    Args:
      path: the file or folder.
      rate: frames per second of a folder, which has none of its own.

    Raises:
      ValueError: there is nothing at `path`, or no video in it.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    return Folder(path, rate) if path.is_dir() else Video(path)


class Folder(Source):
    """The images of a folder, in natural order."""

    def __init__(self, path: Path, rate: Fraction | None):
        super().__init__()
        self._paths = images.listed(path)
        heads = images.heads(self._paths)
        self._bits = max(head.bits for head in heads)
        self._alpha = any(head.alpha for head in heads)
        self.count = len(self._paths)
        self.picture = Picture(
            *heads[0].size,
            rate=rate or DEFAULT_RATE,
            average=rate or DEFAULT_RATE,
            tick=1 / (rate or DEFAULT_RATE),
            bits=self._bits,
            alpha=self._alpha,
            tags=colour.Tags(colour.FULL, colour.RGB),
        )

    def items(self, *, alpha: bool) -> Iterator[Frame]:
        """The images, one `Frame` each."""
        for index, path in enumerate(self._paths):
            pixels = images.read(path, bits=self._bits, alpha=self._alpha)
            if self._alpha and not alpha:
                pixels = colour.over_black(pixels)
            yield Frame(pixels, index / self.picture.rate, 1 / self.picture.rate)
