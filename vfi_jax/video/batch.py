"""Batches of videos: find the sources, choose the targets, collect the results."""

import dataclasses
import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from vfi_jax import images
from vfi_jax.video import targets
from vfi_jax.video.encoding import FORMATS
from vfi_jax.video.report import Report

DEFAULT_SUFFIX = ".mp4"
# Suffixes of video files that FFmpeg reads; a folder may also contain other files.
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
      source: the source, a path from `remote.path`.
      target: the target, likewise, or its name.
    """

    source: Any
    target: Any


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Result of a job.

    Attributes:
      job: the job.
      report: report on the video; None if the job failed.
      error: reason of the failure, one line.
    """

    job: Job
    report: Report | None = None
    error: str = ""


def find_sources(words: Sequence[str | os.PathLike]) -> list[Path]:
    """The videos that a user's arguments name, in order and without duplicates.

    Args:
      words: videos, folders of images, folders of videos, and glob patterns of these (`**` matches
        any number of folders). A folder that contains a video file is a folder of videos.

    Raises:
      ValueError: a word matches nothing.
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
        sources = [source for match in matches for source in videos_of(match)]
        if not sources:
            raise ValueError(f"source {word}: no such file or folder, and no file matches")
        found += sources
    return list(dict.fromkeys(found))


def videos_of(path: Any) -> list[Any]:
    """A file; a folder of images; or the videos in a folder.

    Args:
      path: an existing path, from `remote.path`.
    """
    if not path.is_dir():
        return [path]
    files = [one for one in images.natural(path.iterdir()) if not images.is_system_file(one)]
    videos = [one for one in files if one.suffix.lower() in VIDEO_SUFFIXES and one.is_file()]
    return videos or ([path] if any(one.suffix.lower() in IMAGE_SUFFIXES for one in files) else [])


def plan(sources: Iterable[Any], folder: Any, *, suffix: str | None = None) -> list[Job]:
    """The jobs that write each video under its own name to one folder.

    Args:
      sources: videos and folders of images.
      folder: output folder.
      suffix: suffix of all targets. None: the source's if it can be written, else .mp4; a folder of
        images gives a folder of images.

    Raises:
      ValueError: two sources have the same target, or the suffix is unknown.
    """
    if suffix is not None and suffix.lower() not in FORMATS:
        raise ValueError(f"suffix must be one of {' '.join(FORMATS)}, got {suffix!r}")
    jobs = [Job(source, folder / _target_name(source, suffix)) for source in sources]
    taken: dict[Any, Any] = {}
    for job in jobs:
        other = taken.setdefault(job.target, job.source)
        if other != job.source:
            raise ValueError(
                f"{other} and {job.source} would both be written to {job.target}; rename one, or "
                "use two commands"
            )
    return jobs


def run(jobs: Iterable[Job], interpolate: Callable[[Job], Report]) -> Iterator[Outcome]:
    """Run jobs in order and yield the outcome of each; a failure does not stop the others.

    Args:
      jobs: the jobs.
      interpolate: runs one job.
    """
    for job in jobs:
        try:
            yield Outcome(job, report=interpolate(job))
        # Invalid files, full disks, and errors of XLA such as insufficient memory.
        except (ValueError, OSError, RuntimeError) as error:
            yield Outcome(job, error=summary(error))


def summary(error: Exception) -> str:
    """An error as one line."""
    return (str(error) or type(error).__name__).partition("\n")[0]


def _target_name(source, suffix):
    if source.is_dir():
        return source.name + (suffix or "")
    kept = source.suffix if source.suffix.lower() in FORMATS else DEFAULT_SUFFIX
    return source.stem + (suffix or kept)
