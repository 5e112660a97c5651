"""Batches of videos: finding sources, choosing targets, collecting results."""

import dataclasses
import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from vfi_jax import images
from vfi_jax.video import targets
from vfi_jax.video.encoding import FORMATS
from vfi_jax.video.report import Report

DEFAULT_SUFFIX = ".mp4"
# Suffixes of files that FFmpeg reads as videos; a folder may hold other files too.
VIDEO_SUFFIXES = {
    *FORMATS,
    *(".3gp", ".asf", ".flv", ".m2ts", ".m2v", ".mpeg", ".mpg", ".mts", ".ogv", ".vob", ".wmv"),
    *(".y4m",),
}
IMAGE_SUFFIXES = set(images.SUFFIXES) - {".gif", ".apng"}


@dataclasses.dataclass(frozen=True)
class Job:
    """One video of a batch.

    Attributes:
      source: the source.
      target: the target.
    """

    source: Path
    target: Path | str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Result of a job.

    Attributes:
      job: the job.
      report: of the video that was written; None where it failed.
      error: why it failed, one line.
    """

    job: Job
    report: Report | None = None
    error: str = ""


def find_sources(words: Sequence[str | os.PathLike]) -> list[Path]:
    """The videos found for a user's arguments, in order and without duplicates.

    Args:
      words: videos, folders of images, folders of videos, and glob patterns of these (`**` crosses
        folders). A folder counts as a folder of videos where a video file is in it.

    Raises:
      ValueError: nothing is found under one of the words.
    """
    found: list[Path] = []
    for word in words:
        path = targets.named("source", word)
        if path.exists():
            matches = [path]
        else:
            names = glob.glob(os.fspath(path), recursive=True)
            matches = images.natural(
                Path(name) for name in names if not images.is_system_file(name)
            )
        sources = [source for match in matches for source in _videos_of(match)]
        if not sources:
            raise ValueError(f"source {word}: there is no such file, folder or match")
        found += sources
    return list(dict.fromkeys(found))


def plan(sources: Iterable[Path], folder: Path, *, suffix: str | None = None) -> list[Job]:
    """The target of each video: its name in one folder.

    Args:
      sources: videos and folders of images.
      folder: for the results.
      suffix: of all targets; None: the source's where it can be written, else .mp4, and no suffix,
        a folder, for a folder of images.

    Raises:
      ValueError: two sources would be written to one target, or the suffix is none.
    """
    if suffix is not None and suffix.lower() not in FORMATS:
        raise ValueError(f"suffix must be one of {' '.join(FORMATS)}, got {suffix!r}")
    jobs = [Job(source, folder / _target_name(source, suffix)) for source in sources]
    taken: dict[Path | str, Path] = {}
    for job in jobs:
        other = taken.setdefault(job.target, job.source)
        if other != job.source:
            raise ValueError(
                f"{other} and {job.source} would both be written to {job.target}; rename one or "
                "give them apart"
            )
    return jobs


def run(jobs: Iterable[Job], interpolate: Callable[[Job], Report]) -> Iterator[Outcome]:
    """The outcome of each job; a failure does not stop the others.

    Args:
      jobs: to do, in order.
      interpolate: does one.
    """
    for job in jobs:
        try:
            yield Outcome(job, report=interpolate(job))
        # Wrong files, full disks, and XLA's errors such as a lack of memory.
        except (ValueError, OSError, RuntimeError) as error:
            yield Outcome(job, error=summary(error))


def summary(error: Exception) -> str:
    """An error as one line."""
    return (str(error) or type(error).__name__).partition("\n")[0]


def _videos_of(path):
    """A file; a folder of images; or the videos in a folder."""
    if not path.is_dir():
        return [path]
    files = [one for one in images.natural(path.iterdir()) if not images.is_system_file(one)]
    videos = [one for one in files if one.suffix.lower() in VIDEO_SUFFIXES and one.is_file()]
    return videos or ([path] if any(one.suffix.lower() in IMAGE_SUFFIXES for one in files) else [])


def _target_name(source, suffix):
    if source.is_dir():
        return source.name + (suffix or "")
    kept = source.suffix if source.suffix.lower() in FORMATS else DEFAULT_SUFFIX
    return source.stem + (suffix or kept)
