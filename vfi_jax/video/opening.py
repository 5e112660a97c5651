"""Checks and opening of source and target before any work."""

import contextlib
import dataclasses
import os
from pathlib import Path

from vfi_jax.video import encoding, targets
from vfi_jax.video.folder import Names, split
from vfi_jax.video.options import Output, Timing
from vfi_jax.video.read import open_source
from vfi_jax.video.slow import Slowed
from vfi_jax.video.source import Source
from vfi_jax.video.timing import parse_moment, parse_rate
from vfi_jax.video.trim import Trimmed


@dataclasses.dataclass(frozen=True)
class Paths:
    """Paths of source and target.

    Attributes:
      source: a file, a folder, or a template such as img_%04d.png.
      target: a file or a folder.
      template: template of the file names in the target folder, such as new_%04d.png; None: the
        default names.
    """

    source: Path
    target: Path
    template: str | None

    @property
    def names(self) -> Names:
        """Names of the frames in a folder, in any format."""
        return Names.of(self.template) if self.template else Names()


def check(
    source: str | os.PathLike, target: str | os.PathLike, timing: Timing, output: Output
) -> None:
    """Check that a source can be read and its target written, as far as possible without a model.

    Args:
      source: see `interpolate_video`.
      target: see `interpolate_video`.
      timing: see `interpolate_video`.
      output: see `interpolate_video`.

    Raises:
      ValueError: as in `interpolate_video`.
    """
    paths = checked(source, target, timing, output)
    if paths.source.exists() and not (paths.source.is_file() or paths.source.is_dir()):
        return  # a pipe can be read once
    with contextlib.closing(open_with(paths.source, timing, output)) as opened:
        suffix = paths.target.suffix.lower()
        if not (paths.template or targets.is_folder(target) or suffix == ".gif"):
            chosen = encoding.choose(suffix, opened.picture, output)
            constant = chosen.format_name in encoding.CONSTANT_RATE
            rate = opened.picture.rate if constant else opened.picture.average
            encoding.check_rate(chosen, timing.schedule.out_rate(rate))


def checked(
    source: str | os.PathLike, target: str | os.PathLike, timing: Timing, output: Output
) -> Paths:
    """Check source, target and options, and return the paths.

    Raises:
      ValueError: the target cannot be written, or options contradict each other.
    """
    folder = targets.is_folder(target)
    source = targets.named("source", source)
    target, template = split(targets.named("target", target))
    folder = folder or template is not None
    if output.format and not folder:
        raise ValueError(f"format applies to folders of images; {target.name} is a video file")
    overwrite, names = output.overwrite, Paths(source, target, template).names
    targets.check(split(source)[0], target, folder=folder, overwrite=overwrite, names=names)
    if output.resume and timing.schedule.open:
        raise ValueError("resume does not work with a shutter")
    if output.resume and source.is_fifo():
        raise ValueError(f"resume requires a source that can be read again; {source} is a FIFO")
    return Paths(source, target, template)


def open_with(source: Path, timing: Timing, output: Output) -> Source:
    """Open the source and apply the options that concern it.

    Raises:
      ValueError: it cannot be read, or an option does not apply to it.
    """
    rate = None if timing.source_fps is None else parse_rate(timing.source_fps)
    opened = open_source(source, rate=rate, gaps=timing.gaps)
    if rate is not None and opened.timed:
        opened.close()
        raise ValueError("source_fps applies to images; a video has its own rate")
    if not output.audio:
        opened.tracks = [track for track in opened.tracks if track.type != "audio"]
    if timing.start is not None or timing.end is not None:
        moments = (
            None if moment is None else parse_moment(name, moment)
            for name, moment in (("start", timing.start), ("end", timing.end))
        )
        try:
            opened = Trimmed(opened, *moments)
        except ValueError:
            opened.close()
            raise
    if timing.slow == 1:
        return opened
    return Slowed(opened, int(timing.slow), audio=timing.stretch_audio)
