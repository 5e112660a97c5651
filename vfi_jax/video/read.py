"""Sources: video files, image files and folders of images."""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from vfi_jax import images
from vfi_jax.video import colour
from vfi_jax.video.decode import Video
from vfi_jax.video.folder import as_regex, split
from vfi_jax.video.source import DEFAULT_RATE, Frame, Picture, Source

MILLISECOND = Fraction(1, 1000)


def open_source(path: Path, *, rate: Fraction | None = None, gaps: str = "time") -> Source:
    """Open a video file or images.

    Args:
      path: a file, a folder of images, or a template of image files such as shots/img_%04d.png;
        also a FIFO or /dev/stdin, which is first read to its end.
      rate: frames per second of images, which have no rate.
      gaps: "time": missing numbers in the names of images are gaps in time; "even": all images are
        evenly spaced.

    Raises:
      ValueError: `path` does not exist or is not a video.
    """
    if not path.exists() and split(path)[1] is None:
        raise ValueError(f"{path} does not exist")
    if not path.exists():
        return ImageSequence(files(path), rate, where=path, gaps=gaps)
    if path.is_dir():
        return ImageSequence(images.list_images(path), rate, where=path, gaps=gaps)
    if not path.is_file():
        return Piped(path)
    return ImageSequence([path], rate, where=path) if is_image(path) else Video(path)


def files(path: Path) -> list[Path]:
    """The files of a source in order: all of a folder, or those that match a template."""
    folder, template = split(path)
    if template is None:
        return sorted(path.iterdir()) if path.is_dir() else [path]
    if not folder.is_dir():
        raise ValueError(f"the folder {folder} does not exist")
    found = [
        one for one in images.list_images(folder) if re.fullmatch(as_regex(template), one.name)
    ]
    if not found:
        raise ValueError(f"no file in {folder} matches {template}")
    return found


class Piped(Video):
    """A video from a pipe, copied to a temporary file because most containers need seeking."""

    def __init__(self, path: Path):
        with tempfile.NamedTemporaryFile(prefix="vfi_jax-", delete=False) as file:
            self._copy = Path(file.name)
            try:
                with open(path, "rb") as pipe:
                    shutil.copyfileobj(pipe, file)
            except BaseException:
                self._copy.unlink()
                raise
        try:
            super().__init__(self._copy, name=path.name)
        except BaseException:
            self._copy.unlink()
            raise

    def close(self) -> None:
        """Close and remove the temporary file."""
        super().close()
        self._copy.unlink(missing_ok=True)


def is_image(path: Path) -> bool:
    """Whether a file is a still image, a TIFF stack or an animated WebP.

    FFmpeg reads these in part or not at all. GIFs and animated PNGs are videos.
    """
    if path.suffix.lower() not in images.SUFFIXES or not path.stat().st_size:
        return False
    info = images.read_info(path)
    return info.format != "GIF" and not (info.format == "PNG" and info.pages > 1)


class ImageSequence(Source):
    """Images in natural order; files with several pages give several frames.

    If `gaps` is "time", the numbers in their names are positions in time: missing numbers are gaps
    of that many steps.
    """

    def __init__(
        self, paths: list[Path], rate: Fraction | None, *, where: Path, gaps: str = "time"
    ):
        super().__init__()
        if not paths:
            raise ValueError(f"{where} contains no images ({' '.join(images.SUFFIXES)})")
        self._paths = paths
        infos = images.inspect(paths)
        self._bits = max(info.bits for info in infos)
        linear = {info.linear for info in infos}
        if len(linear) > 1:
            raise ValueError(
                f"{where} contains EXR files, which store linear light, and other images; a "
                "sequence must have one kind"
            )
        self._alpha = any(info.alpha for info in infos)
        grey = all(info.grey for info in infos)
        self.count = sum(info.pages for info in infos)
        self.timed = bool(infos[0].durations) and len(paths) == 1
        if self.timed:
            shown = [*infos[0].durations]
            self.loop = images.loop(paths[0])
            rate = 1 / Counter(shown).most_common(1)[0][0]
        else:
            rate = rate or DEFAULT_RATE
            between = self._steps(infos) if gaps == "time" else [1] * self.count
            shown = [steps / rate for steps in between]
        self._times = [*accumulate(shown, initial=Fraction(0))]
        self.picture = Picture(
            *infos[0].size,
            rate=rate,
            average=self.count / self._times[-1],
            tick=MILLISECOND if self.timed else 1 / rate,
            bits=self._bits,
            alpha=self._alpha,
            tags=_tags(infos[0]),
            aspect=None
            if infos[0].aspect == 1
            else Fraction(infos[0].aspect).limit_denominator(999),
            grey=grey,
            colour=self._colour(infos, grey),
        )

    def times(self) -> list[Fraction]:
        """Presentation times of all images in seconds."""
        return self._times[:-1]

    def items(
        self, *, alpha: bool, span: tuple[Fraction, Fraction | None] | None = None
    ) -> Iterator[Frame]:
        """Yield one `Frame` per image."""
        first, last = span or (None, None)
        index = 0
        for path in self._paths:
            for pixels in images.read_pages(path, bits=self._bits, alpha=self._alpha):
                if self._alpha and not alpha:
                    pixels = colour.over_black(pixels)
                start, end = self._times[index : index + 2]
                index += 1
                if (first is None or start >= first) and (last is None or start < last):
                    yield Frame(pixels, start, end - start)

    def _steps(self, infos):
        """Time steps from each frame to the next; 1 after the last."""
        numbers = images.spacing(self._paths)
        if numbers is None:
            self.warnings.append(
                "the numbers of the images are not multiples of one step; frames are treated as "
                "evenly spaced"
            )
        steps = []
        for info, apart in zip(infos, [*(numbers or [1] * (len(infos) - 1)), 1], strict=True):
            # A missing file is assumed to have as many pages as the file before it.
            steps += [1] * (info.pages - 1) + [1 + (apart - 1) * info.pages]
        missing = sum(steps) - self.count
        if missing:
            last = next(p for p, apart in zip(self._paths, numbers, strict=False) if apart > 1)
            self.gaps = True
            self.warnings.append(
                f"missing numbers in the names: {missing}, the first after {last.name}; frames "
                "are interpolated in such a gap in time; --gaps even treats all images as "
                "neighbours"
            )
        return steps

    def _colour(self, infos, grey):
        """The colour space of all images if the output can have it, else the default."""
        found = infos[0].colour
        if any(info.colour != found for info in infos):
            self.warnings.append(
                f"images differ in colour profile; that of {self._paths[0].name} is kept"
            )
        if found.fits(grey=grey):
            return found
        self.warnings.append(
            f"the {found.space} colour profile of {self._paths[0].name} does not fit RGB; left out"
        )
        return images.PLAIN


def _tags(info):
    """Colour tags of an image in FFmpeg's codes."""
    if info.linear:
        return colour.Tags(colour.FULL, colour.RGB, transfer=colour.LINEAR)
    return colour.Tags(colour.FULL, colour.RGB, *(info.colour.codes or ()))
