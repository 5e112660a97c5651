"""Static HDR metadata: mastering display and content light level.

Some encoders accept it in their private options; the others cannot store it.
"""

import dataclasses
import struct
from fractions import Fraction

import av
from av.sidedata.sidedata import Type

from vfi_jax.video.side_data import side_data

# libavutil/mastering_display_metadata.h: 10 rationals, then two flags: which are set.
MASTERING = struct.Struct("=22i")
LIGHT = struct.Struct("=2I")
DYNAMIC = {
    "HDR10+": Type.DYNAMIC_HDR_PLUS,
    "Dolby Vision": Type.DOVI_METADATA,
    "HDR Vivid": Type.DYNAMIC_HDR_VIVID,
}
CHROMATICITY, LUMINANCE = 50_000, 10_000  # steps per 1 and per 1 cd/m2 (ITU-T H.265, D.3.28)
# Encoders that accept the metadata: their option for private options, and the names in it.
ENCODERS = {
    "libx264": ("x264-params", "mastering-display", "cll"),
    "libx265": ("x265-params", "master-display", "max-cll"),
    "libsvtav1": ("svtav1-params", "mastering-display", "content-light"),
}


@dataclasses.dataclass(frozen=True)
class Mastering:
    """The mastering display: the one that a video was graded on (SMPTE ST 2086).

    Attributes:
      red: chromaticity (x, y) of the red primary.
      green: that of the green primary.
      blue: that of the blue primary.
      white: that of the white point.
      luminance: maximum and minimum in cd/m2.
    """

    red: tuple[Fraction, Fraction]
    green: tuple[Fraction, Fraction]
    blue: tuple[Fraction, Fraction]
    white: tuple[Fraction, Fraction]
    luminance: tuple[Fraction, Fraction]

    def __str__(self) -> str:
        most, least = self.luminance
        return f"mastering display of {float(least):g} to {float(most):g} cd/m2"


@dataclasses.dataclass(frozen=True)
class Hdr:
    """HDR metadata of a video.

    Attributes:
      mastering: the mastering display; None if it is not complete.
      light: MaxCLL and MaxFALL in cd/m2: the brightest pixel and the brightest mean of a frame.
      dynamic: kinds of metadata that change from frame to frame.
    """

    mastering: Mastering | None = None
    light: tuple[int, int] | None = None
    dynamic: tuple[str, ...] = ()

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Hdr":
        """The metadata of a decoded frame."""
        mastering = side_data(frame, Type.MASTERING_DISPLAY_METADATA)
        light = side_data(frame, Type.CONTENT_LIGHT_LEVEL)
        return cls(
            mastering=None if mastering is None else _mastering(mastering),
            light=None if light is None else LIGHT.unpack_from(light),
            dynamic=tuple(name for name, kind in DYNAMIC.items() if side_data(frame, kind)),
        )

    def __str__(self) -> str:
        parts = [str(self.mastering)] if self.mastering else []
        if self.light:
            parts.append("content light level of MaxCLL {}, MaxFALL {} cd/m2".format(*self.light))
        return " and ".join(parts)

    def options(self, codec: str) -> dict[str, str]:
        """Encoder options that write the metadata; empty if the encoder does not support it."""
        if codec not in ENCODERS:
            return {}
        name, display, light = ENCODERS[codec]
        parts = []
        if self.mastering:
            parts.append(f"{display}={_text(self.mastering, whole=codec != 'libsvtav1')}")
        if self.light:
            parts.append(f"{light}={self.light[0]},{self.light[1]}")
        return {name: ":".join(parts)} if parts else {}

    def losses(self, codec: str) -> list[str]:
        """A line for each kind of metadata that an encoder cannot write."""
        lines = []
        if (self.mastering or self.light) and codec not in ENCODERS:
            able = ", ".join(ENCODERS)
            lines.append(f"HDR: {self} cannot be written by {codec}; it can by {able}")
        if self.dynamic:
            kinds = ", ".join(self.dynamic)
            lines.append(f"{kinds} metadata left out: it applies only to the source's frames")
        return lines


def _mastering(data):
    numbers = MASTERING.unpack_from(data)
    if not (numbers[20] and numbers[21] and all(numbers[1:20:2])):
        return None
    values = [Fraction(*numbers[at : at + 2]) for at in range(0, 20, 2)]
    red, green, blue, white, (least, most) = zip(values[::2], values[1::2], strict=True)
    return Mastering(red, green, blue, white, (most, least))


def _text(mastering, *, whole):
    """Option value: in integer steps for x264 and x265, or in decimals for SVT-AV1."""

    def pair(values, steps):
        shown = (f"{round(one * steps)}" if whole else f"{float(one):.7g}" for one in values)
        return f"({','.join(shown)})"

    colours = {
        "G": mastering.green,
        "B": mastering.blue,
        "R": mastering.red,
        "WP": mastering.white,
    }
    text = "".join(name + pair(values, CHROMATICITY) for name, values in colours.items())
    return f"{text}L{pair(mastering.luminance, LUMINANCE)}"
