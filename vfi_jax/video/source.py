"""Sources of frames: frames, common properties, tracks."""

import dataclasses
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

from vfi_jax.images import PLAIN, Colour
from vfi_jax.video.colour import LINEAR, SRGB, Tags
from vfi_jax.video.hdr import Hdr

FLOAT = 32  # bits of floating point
DEFAULT_RATE = Fraction(24)  # frames per second of sources without a rate


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame of a video.

    Attributes:
      pixels: `[H, W, 3 or 4]` uint8, uint16 or float32 (alpha multiplied in), upright.
      time: presentation time in seconds.
      duration: for how long, where no other frame follows.
    """

    pixels: np.ndarray
    time: Fraction
    duration: Fraction


@dataclasses.dataclass(frozen=True)
class Picture:
    """Properties shared by all frames of a source.

    Attributes:
      width: in pixels, as shown.
      height: in pixels, as shown.
      rate: nominal frames per second; frames of a constant rate are put on its grid.
      average: mean frames per second; differs where frames are not evenly spaced.
      tick: unit of the time stamps, in seconds.
      bits: per sample and channel, as stored; 32 means floating point.
      chroma: "420", "422" or "444" as stored, "rgb" where there is none.
      alpha: whether anything is transparent.
      tags: what is said about the colours.
      aspect: a pixel's width over its height, where it is not 1.
      grey: whether all channels are alike.
      colour: the colour space of images.
      hdr: what is said about the dynamic range.
      lossless: whether the source holds every pixel as it was made.
    """

    width: int
    height: int
    rate: Fraction
    average: Fraction
    tick: Fraction
    bits: int = 8
    chroma: str = "rgb"
    alpha: bool = False
    tags: Tags = Tags()
    aspect: Fraction | None = None
    grey: bool = False
    colour: Colour = PLAIN
    hdr: Hdr = Hdr()
    lossless: bool = False

    @property
    def linear(self) -> bool:
        """Whether values are light itself, of any range."""
        return self.bits == FLOAT and self.tags.transfer == LINEAR

    def displayed(self) -> "Picture":
        """The picture whose frames `images.displayed` makes of floats."""
        transfer = SRGB if self.linear else self.tags.transfer
        tags = dataclasses.replace(self.tags, transfer=transfer)
        return dataclasses.replace(self, bits=16, tags=tags)

    @property
    def display_size(self) -> tuple[int, int]:
        """The smallest size in square pixels that has exactly the shape of the picture as shown and
        no fewer rows."""
        shape = self.width * (self.aspect or 1) / Fraction(self.height)
        multiple = math.ceil(self.height / shape.denominator)
        return shape.numerator * multiple, shape.denominator * multiple


class Source:
    """Common interface of video files and folders of images.

    Attributes:
      picture: what all frames have in common.
      count: frames, about; None where it is not known before the end.
      tracks: audio, subtitle and other streams to carry over.
      shift: seconds that were subtracted from all time stamps.
      stretch: how many times as long audio is to take; its packets' time stamps do already.
      metadata: of the whole file.
      chapters: as PyAV gives them.
      loop: how often an animation plays: 0 for ever, -1 once, else so many times again.
      gaps: whether frames are missing among others that are evenly spaced.
      timed: whether frames have times of their own; images have not.
      warnings: what the user should know, a line each; grows while frames are read.
    """

    picture: Picture
    count: int | None = None
    shift: Fraction = Fraction(0)
    stretch: int = 1
    loop: int = 0
    gaps: bool = False
    timed: bool = True

    def __init__(self):
        self.tracks: list[av.stream.Stream] = []
        self.metadata: dict[str, str] = {}
        self.chapters: list[Any] = []
        self.warnings: list[str] = []

    def items(
        self, *, alpha: bool, span: tuple[Fraction, Fraction | None] | None = None
    ) -> Iterator[Frame | av.Packet]:
        """The frames, and the packets of `tracks` where the file has them, in the file's order.

        Args:
          alpha: with the fourth channel, where the picture has one; else it is laid over black.
          span: only frames from one time up to but not at another, None: the end; in seconds.
        """
        raise NotImplementedError

    def times(self) -> list[Fraction]:
        """When each frame is shown, in seconds."""
        raise NotImplementedError

    def packets(self) -> Iterator[av.Packet]:
        """The packets of `tracks` alone, in the file's order; not together with `items`."""
        return iter(())

    def close(self) -> None:
        """Let go of the file."""
