"""Folders of numbered image files as targets."""

import dataclasses
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from vfi_jax import images
from vfi_jax.video.colour import HDR
from vfi_jax.video.encoding import FORMATS
from vfi_jax.video.sink import Sink
from vfi_jax.video.source import FLOAT, Picture, Source
from vfi_jax.video.tracks import left_out

PLACE = re.compile(r"%(?:0(\d+))?d")  # the number in a template, as in printf
ANY_FORMAT = "|".join(suffix[1:] for suffix in images.FORMATS.values())


@dataclasses.dataclass(frozen=True)
class Names:
    """Names of numbered files.

    Attributes:
      template: template as in printf, such as frame_%06d.png; the suffix selects the format.
      regex: matches these names and those of earlier runs.
    """

    template: str = "frame_%06d.png"
    regex: str = rf"frame_\d{{6,}}\.(?:{ANY_FORMAT})"

    @classmethod
    def of(cls, template: str) -> "Names":
        """Names from a template.

        Raises:
          ValueError: its suffix is not a format of images.
        """
        suffix = Path(template).suffix.lower()
        if suffix not in images.WRITTEN:
            known = " ".join(images.WRITTEN)
            raise ValueError(f"{template}: numbered files must end in one of {known}")
        return cls(template, as_regex(template))

    def path(self, folder: Path, number: int) -> Path:
        """Path of a frame's file."""
        return folder / PLACE.sub(lambda place: f"{number:0{place[1] or 1}d}", self.template, 1)

    @property
    def form(self) -> str:
        """Name of the format in `images.FORMATS`."""
        return images.WRITTEN[Path(self.template).suffix.lower()]


def as_regex(template: str) -> str:
    """A regular expression that matches the names of a template."""
    place = PLACE.search(template)
    assert place is not None
    before, after = template[: place.start()], template[place.end() :]
    return rf"{re.escape(before)}\d{{{place[1] or 1},}}{re.escape(after)}"


def split(path: Path) -> tuple[Path, str | None]:
    """Split a path such as shots/img_%04d.png into (folder, template).

    Any other path, also a video such as 100%d.mp4, gives (path, None).
    """
    video = path.suffix.lower() in FORMATS
    if PLACE.search(path.name) and not video and not path.exists():
        return path.parent, path.name
    return path, None


def choose_names(template: str | None, form: str | None, picture: Picture) -> Names:
    """Names of a folder's files; the default format preserves the picture.

    Args:
      template: template of the names, whose suffix selects the format. None: frame_%06d.
      form: name of the format in `images.FORMATS`. None: one that preserves the picture.
      picture: properties of the output.

    Raises:
      ValueError: names and format contradict each other, or the format cannot store the picture.
    """
    fitting = "exr" if picture.linear else "tiff" if picture.bits == FLOAT else "png"
    chosen = form or fitting
    names = Names.of(template) if template else Names(f"frame_%06d{images.FORMATS[chosen]}")
    if form and form != names.form:
        raise ValueError(f"format is {form}, but {template} means {names.form}")
    if names.form == "exr" and not picture.linear:
        raise ValueError("EXR stores linear light, which the source is not; use png or tiff")
    return names


def holds_floats(names: Names | None, picture: Picture) -> bool:
    """Whether a floating-point picture is written in floating point."""
    fitting = "exr" if picture.linear else "tiff"
    return picture.bits == FLOAT and names is not None and names.form == fitting


class FolderSink(Sink):
    """A folder of numbered image files."""

    def __init__(self, path: Path, source: Source, picture: Picture, names: Names):
        super().__init__()
        path.mkdir(exist_ok=True)
        form = self.codec = names.form
        self.alpha = picture.alpha and form not in images.OPAQUE
        self._path, self._names, self._count = path, names, 0
        self._grey = picture.grey and not picture.alpha
        self._shrunk = picture.bits > 8 and form in images.OF_8_BITS
        tags, self._colour = picture.tags, picture.colour
        if tags.transfer in HDR:
            self._colour = images.of_codes(tags.primaries, tags.transfer)
        self.warnings += left_out(source.tracks, "a folder")
        self.warnings += self._losses(picture, form)

    def write(self, pixels: np.ndarray, time: Fraction, duration: Fraction) -> None:
        """Write the next file."""
        if self._grey:
            mean = pixels.mean(axis=-1, keepdims=True, dtype=np.float64)
            mean = mean if pixels.dtype == np.float32 else np.rint(mean)
            pixels = mean.astype(pixels.dtype)
        if self._shrunk:
            pixels = np.rint(pixels / np.float32(257)).astype(np.uint8)
        images.write(self._names.path(self._path, self._count), pixels, colour=self._colour)
        self._count += 1

    def _losses(self, picture, form):
        if picture.aspect:
            shape = f"{picture.aspect.numerator}:{picture.aspect.denominator}"
            yield f"pixels are {shape}, not square; image files store no pixel shape"
        if form == "jpeg":
            yield "JPEG is lossy; png, tiff and webp are lossless"
        if self._shrunk:
            yield f"{picture.bits} bits in, 8 out: {form} supports no more"
        if picture.alpha and not self.alpha:
            yield f"transparency is composited over black: {form} does not support it"
        colour = self._colour
        if form in images.WITHOUT_CHUNKS and (colour.codes or colour.primaries):
            yield f"{form} cannot record that colours are {_named(picture)}; png can"


def _named(picture):
    named = {16: "PQ", 18: "HLG"}
    return named.get(picture.tags.transfer, "of the source's primaries or gamma")
