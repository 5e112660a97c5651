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

FLOAT = 32  # value of `Picture.bits` for floating point
DEFAULT_RATE = Fraction(24)  # frames per second of sources without a rate


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame of a video.

    Attributes:
      pixels: `[H, W, 3 or 4]` uint8, uint16 or float32 (premultiplied by alpha), in display
        orientation.
      time: presentation time in seconds.
      duration: presentation duration in seconds if no other frame follows.
    """

    pixels: np.ndarray
    time: Fraction
    duration: Fraction


@dataclasses.dataclass(frozen=True)
class Picture:
    """Properties shared by all frames of a source.

    Attributes:
      width: displayed width in pixels.
      height: displayed height in pixels.
      rate: nominal frames per second; times of a constant rate are rounded to its grid.
      average: mean frames per second; differs from `rate` if frames are unevenly spaced.
      tick: unit of the time stamps in seconds.
      bits: stored bits per channel; 32 means floating point.
      chroma: stored chroma subsampling: "420", "422", "444", or "rgb" for RGB.
      alpha: whether any pixel is transparent.
      tags: colour tags.
      aspect: pixel aspect ratio, width over height; None means 1.
      grey: whether all channels are equal.
      colour: colour space of images.
      hdr: HDR metadata.
      lossless: whether the source is encoded without loss.
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
        """Whether values are linear light of any range."""
        return self.bits == FLOAT and self.tags.transfer == LINEAR

    def displayed(self) -> "Picture":
        """Properties of the frames after `images.displayed`, which converts floats to 16 bits."""
        transfer = SRGB if self.linear else self.tags.transfer
        tags = dataclasses.replace(self.tags, transfer=transfer)
        return dataclasses.replace(self, bits=16, tags=tags)

    @property
    def display_size(self) -> tuple[int, int]:
        """The smallest size in square pixels with exactly the displayed aspect ratio and no fewer
        rows."""
        shape = self.width * (self.aspect or 1) / Fraction(self.height)
        multiple = math.ceil(self.height / shape.denominator)
        return shape.numerator * multiple, shape.denominator * multiple


class Source:
    """Common interface of video files and folders of images.

    Attributes:
      picture: properties of all frames.
      count: approximate number of frames; None if it is unknown before the end.
      tracks: audio, subtitle and other streams to copy.
      shift: seconds that were subtracted from all time stamps.
      stretch: factor of the audio's duration; time stamps of its packets include it.
      metadata: metadata of the file.
      chapters: chapters in the form of PyAV.
      loop: number of repetitions of an animation: 0 means endless, -1 none.
      gaps: whether frames are missing in an evenly spaced sequence.
      timed: whether frames have time stamps; images have none.
      warnings: notes for the user, a line each; grows while frames are read.
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
        """Yield the frames and the packets of `tracks` in file order.

        Args:
          alpha: keep the alpha channel if there is one; otherwise composite over black.
          span: (start, end) in seconds: only frames with start <= time < end; end None: no limit.
        """
        raise NotImplementedError

    def times(self) -> list[Fraction]:
        """Presentation times of all frames in seconds."""
        raise NotImplementedError

    def packets(self) -> Iterator[av.Packet]:
        """Yield only the packets of `tracks`, in file order; do not combine with `items`."""
        return iter(())

    def close(self) -> None:
        """Close the file."""
