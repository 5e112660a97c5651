"""A long video computed by several workers: each a range of its segments, which are then joined.

The segments of a part are in a folder next to the records until the video is done. A part decodes
the video from its first frame, because scene changes determine the numbers of the output frames.
"""

import logging
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vfi_jax import remote
from vfi_jax.bulk.records import Record, place_of, read_record
from vfi_jax.bulk.settings import Bulk
from vfi_jax.video.batch import summary
from vfi_jax.video.interpolate import count_frames, interpolate_with
from vfi_jax.video.segments import FRAMES, move_segments
from vfi_jax.video.workspace import folder_of, workspace

LOG = logging.getLogger(__name__)
LEAST = 10  # segments of a part; compilation and decoding would outweigh fewer
COMPLETE = "complete"  # empty file in the folder of a part that is done


class Part(NamedTuple):
    """Some segments of a video.

    Attributes:
      source: path of the source.
      target: path of the result.
      start: number of the first segment; None: the whole video.
      stop: number after the last segment; None: the end of the video.
    """

    source: str
    target: str
    start: int | None = None
    stop: int | None = None


def plan_parts(bulk: Bulk, paths: tuple[str, str]) -> list[Part]:
    """The parts of a video; none if it is done.

    Args:
      bulk: settings.
      paths: paths of source and target.
    """
    source, target = (remote.path(path) for path in paths)
    whole = [Part(*paths)]
    if not bulk.resumes(target) or not source.exists():
        return whole
    record, known = Record(*paths, request=bulk.request(source)), read_record(target)
    if known and known.request != record.request:
        known = None
    if known and known.is_done():
        LOG.info("%s is done", target)
        return []
    if target.exists() and not bulk.output_for(target, known).overwrite:
        return whole
    try:
        with remote.local(source) as near:
            frames = count_frames(near, bulk.timing, bulk.output) or 0
    except (ValueError, OSError):  # reported with the whole video
        return whole
    segments = math.ceil(frames / FRAMES)
    count = min(bulk.split, segments // LEAST)
    if count < 2:
        return whole
    starts = [segments * index // count for index in range(count)]
    # The number of frames is approximate, so the last part has no end.
    return [Part(*paths, *ends) for ends in zip(starts, [*starts[1:], None], strict=True)]


def compute_part(bulk: Bulk, part: Part) -> None:
    """Compute the segments of a part. What fails is left to the run that joins the parts.

    Args:
      bulk: settings.
      part: not a whole video.
    """
    source, target = remote.path(part.source), remote.path(part.target)
    place = _home(target) / bulk.request(source)[:16] / f"{part.start}-{part.stop or 'end'}"
    if (place / COMPLETE).exists():
        return
    try:
        with remote.local_pair(source, place) as (near, folder):
            folder.mkdir(parents=True, exist_ok=True)
            _compute(bulk, part, near, folder / target.name)
        (place / COMPLETE).write_text("")
    except (ValueError, OSError, RuntimeError) as error:
        LOG.warning("%s, part %s: %s", source, place.name, summary(error))


def _compute(bulk, part, source, target):
    output = bulk.output_for(target, None)
    share = range(part.start, part.stop or sys.maxsize)
    for attempt in range(1, bulk.attempts + 1):
        try:
            interpolate_with(
                bulk.load, source, target, bulk.timing, bulk.computing, output, share=share
            )
            return
        except (OSError, RuntimeError) as error:
            if attempt == bulk.attempts:
                raise
            LOG.warning("%s, attempt %d: %s", source, attempt, summary(error))


def gather(target: Any, request: str, result: Path) -> None:
    """Move the segments of complete parts into the workspace of a result.

    Args:
      target: path of the result, from `remote.path`.
      request: hash of the request.
      result: local path of the result.
    """
    for place in _complete(_home(target) / request[:16]):
        with (
            remote.local(place) as part,
            workspace(result.resolve(), keep=True, leave=True) as folder,
        ):
            if not move_segments(folder_of(part / target.name), folder):
                LOG.warning("%s was computed by another version; computed again", place)


def remove(target: Any) -> None:
    """Remove all parts of a target."""
    if (home := _home(target)).exists():
        remote.delete(home)


def _home(target: Any) -> Any:
    return place_of(target, ".parts")


def _complete(home: Any) -> Iterator[Any]:
    places = sorted(home.iterdir()) if home.exists() else []
    return (place for place in places if (place / COMPLETE).exists())
