"""Many videos on Apache Beam: retried, recorded, resumed; needs the extra "beam".

Each video is an element of the pipeline. A hidden folder next to the results contains one record
per video, written by the worker that processes it; `manifest.json` collects all records at the end.
Sources and results may be in object stores: a worker copies a source to its disk, and the result
back.
"""

import dataclasses
import functools
import re
from collections.abc import Sequence

from vfi_jax import images, remote
from vfi_jax.bulk.parts import Part, compute_part, plan_parts
from vfi_jax.bulk.records import DONE, FAILED, RECORDS, RUNNING, Record, read_record, write_json
from vfi_jax.bulk.settings import Bulk
from vfi_jax.bulk.videos import work
from vfi_jax.video.batch import Job, find_sources, plan, videos_of

__all__ = [
    "DONE",
    "FAILED",
    "MANIFEST",
    "RECORDS",
    "RUNNING",
    "Bulk",
    "Record",
    "find_jobs",
    "interpolate_bulk",
    "read_record",
    "work",
    "work_part",
]

MANIFEST = "manifest.json"


def find_jobs(words: Sequence[str], folder: str, *, suffix: str | None = None) -> list[Job]:
    """The jobs that write each video under its own name to one folder.

    Args:
      words: as for `video.batch.find_sources`; also in object stores, there without `**`.
      folder: output folder, local or in an object store.
      suffix: as for `video.batch.plan`.

    Raises:
      ValueError: a word matches nothing, two sources have the same target, the suffix is unknown,
        `folder` is a file, or a store is not supported.
    """
    place = remote.path(folder)
    if place.exists() and not place.is_dir():
        raise ValueError(f"--output-dir {folder} is a file")
    sources = [
        source
        for word in words
        for source in (_find_remote(word) if remote.is_remote(word) else find_sources([word]))
    ]
    return plan(dict.fromkeys(sources), place, suffix=suffix)


def interpolate_bulk(
    jobs: Sequence[Job], bulk: Bulk, *, beam_options: Sequence[str] = ()
) -> list[Record]:
    """Interpolate videos on Apache Beam.

    A video is skipped if its record says "done" and its result has the recorded SHA-256. A video
    whose worker died continues from its finished segments.

    Args:
      jobs: sources and targets; all targets must be in one folder that all workers can access.
      bulk: settings.
      beam_options: options of Beam, such as "--runner=DataflowRunner".

    Returns:
      A record for each job, in order; also written to manifest.json next to the results.

    Raises:
      ValueError: the targets are in several folders.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    folders = {remote.path(job.target).parent for job in jobs}
    if len(folders) != 1:
        raise ValueError(f"targets must be in one folder, got {len(folders)}")
    (folder,) = folders
    (folder / RECORDS).mkdir(parents=True, exist_ok=True)
    with beam.Pipeline(options=PipelineOptions(list(beam_options))) as pipeline:
        videos = (
            pipeline
            | beam.Create([(str(job.source), str(job.target)) for job in jobs])
            | beam.Reshuffle()  # otherwise one worker would get all videos
        )
        if bulk.split > 1:
            videos = (
                videos
                | beam.FlatMap(functools.partial(plan_parts, bulk))
                | "one worker for each part" >> beam.Reshuffle()
                | beam.FlatMap(functools.partial(work_part, bulk))
                | beam.Distinct()  # waits for all parts
            )
        _ = videos | beam.Map(functools.partial(work, bulk))
    records = [read_record(remote.path(job.target)) for job in jobs]
    found = [record for record in records if record is not None]
    write_json(folder / MANIFEST, {"videos": [dataclasses.asdict(record) for record in found]})
    return found


def work_part(bulk: Bulk, part: Part) -> list[tuple[str, str]]:
    """Process a part of a video, or a whole one.

    Args:
      bulk: settings.
      part: from `plan_parts`.

    Returns:
      Source and target, if the parts must be joined by `work`.
    """
    if part.start is None:
        work(bulk, (part.source, part.target))
        return []
    compute_part(bulk, part)
    return [(part.source, part.target)]


def _find_remote(word):
    place = remote.path(word)
    if place.exists():
        matches = [place]
    elif "**" in word:
        raise ValueError(f"source {word}: object stores take no **; use * for each folder")
    else:
        root, pattern = re.fullmatch(r"(\w+://(?:[^*?[]*/)?)(.*)", word).groups()
        matches = images.natural(remote.path(root).glob(pattern))
    found = [source for match in matches for source in videos_of(match)]
    if not found:
        raise ValueError(f"source {word}: no such file or folder, and no file matches")
    return found
