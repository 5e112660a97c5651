"""What a video of high dynamic range says about the display it was graded on, and how bright it is.

FFmpeg's encoders take these data as options of their own; most containers' encoders take none.
"""

import dataclasses
import struct
from fractions import Fraction

import av
from av.sidedata.sidedata import Type

from vfi_jax.video.side_data import side_data

# libavutil/mastering_display_metadata.h: 10 rationals, then which of them are set.
MASTERING = struct.Struct("=22i")
LIGHT = struct.Struct("=2I")
DYNAMIC = {
    "HDR10+": Type.DYNAMIC_HDR_PLUS,
    "Dolby Vision": Type.DOVI_METADATA,
    "HDR Vivid": Type.DYNAMIC_HDR_VIVID,
}
CHROMATICITY, LUMINANCE = 50_000, 10_000  # steps of 1 and of 1 cd/m2 (ITU-T H.265, D.3.28)
# Encoders that take the data: the option that holds their own options, the names in it.
ENCODERS = {
    "libx264": ("x264-params", "mastering-display", "cll"),
    "libx265": ("x265-params", "master-display", "max-cll"),
    "libsvtav1": ("svtav1-params", "mastering-display", "content-light"),
}


@dataclasses.dataclass(frozen=True)
class Mastering:
    """The display that a video was graded on (SMPTE ST 2086).

    Attributes:
      red: chromaticity (x, y); green, blue and white alike.
      luminance: most and least, in cd/m2.
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
    """What a video says about its dynamic range.

    Attributes:
      mastering: the display that it was graded on, where that is said in full.
      light: brightest pixel and brightest mean of a frame, in cd/m2 (MaxCLL, MaxFALL).
      dynamic: kinds of metadata that differ from frame to frame.
    """

    mastering: Mastering | None = None
    light: tuple[int, int] | None = None
    dynamic: tuple[str, ...] = ()

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Hdr":
        """What a decoded frame carries."""
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
        """Options with which an encoder writes the data; none where it takes none."""
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
        """Lines for what an encoder does not carry."""
        lines = []
        if (self.mastering or self.light) and codec not in ENCODERS:
            able = ", ".join(ENCODERS)
            lines.append(f"HDR: {self} is not carried by {codec}; it is by {able}")
        if self.dynamic:
            kinds = ", ".join(self.dynamic)
            lines.append(f"{kinds} metadata left out: it is each source frame's own")
        return lines


def _mastering(data):
    numbers = MASTERING.unpack_from(data)
    if not (numbers[20] and numbers[21] and all(numbers[1:20:2])):
        return None
    values = [Fraction(*numbers[at : at + 2]) for at in range(0, 20, 2)]
    red, green, blue, white, (least, most) = zip(values[::2], values[1::2], strict=True)
    return Mastering(red, green, blue, white, (most, least))


def _text(mastering, *, whole):
    """As x264 and x265 take it, in whole steps; or as SVT-AV1 does, in decimals."""

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
