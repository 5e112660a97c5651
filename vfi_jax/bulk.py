"""Many videos on Apache Beam: retried, recorded, resumed; needs the extra "beam".

Each video is an element of the pipeline. A hidden folder next to the results contains one record
per video, written by the worker that processes it; `manifest.json` collects all records at the end.
Sources and results may be in object stores: a worker copies a source to its disk, and the result
back.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
import logging
import os
import pickle
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import vfi_jax
from vfi_jax import images, remote
from vfi_jax.video import Computing, Output, Timing, targets
from vfi_jax.video.batch import Job, find_sources, plan, summary, videos_of
from vfi_jax.video.interpolate import interpolate_with
from vfi_jax.video.loading import load
from vfi_jax.video.segments import digest, source_digest, write_json
from vfi_jax.video.workspace import workspace

LOG = logging.getLogger(__name__)
RECORDS = ".vfi_jax-bulk"  # folder next to the results
MANIFEST = "manifest.json"
RUNNING, DONE, FAILED = "running", "done", "failed"
NOT_RESUMED = (".gif", ".apng")


@dataclasses.dataclass(frozen=True)
class Record:
    """State of one video.

    Attributes:
      source: path of the source.
      target: path of the result.
      request: SHA-256 of the source's name, size and modification time, and of all options.
      state: "running" (also after a worker died), "done" or "failed".
      sha256: SHA-256 of the result; of a folder, of all its files.
      size: size of the result in bytes.
      frames: number of frames of the result.
      attempts: number of attempts for this result.
      error: why it failed, in one line.
    """

    source: str
    target: str
    request: str
    state: str = RUNNING
    sha256: str = ""
    size: int = 0
    frames: int = 0
    attempts: int = 1
    error: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bulk:
    """Settings for all videos.

    Attributes:
      timing: as in `interpolate_video`.
      computing: as in `interpolate_video`; the model must be a name or path.
      output: as in `interpolate_video`. Parts of a stopped video are kept and reused where `resume`
        is possible.
      attempts: maximum number of attempts per video in one run.
    """

    timing: Timing = Timing()
    computing: Computing = Computing()
    output: Output = Output()
    attempts: int = 3

    def __post_init__(self):
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {self.attempts}")
        if self.output.dry_run:
            raise ValueError("bulk does not support dry_run; use `interpolate`")
        if isinstance(self.computing.model, tuple):
            raise ValueError("model must be a name or a path, which workers load")

    def request(self, source: Any) -> str:
        """SHA-256 of everything that determines the result.

        Args:
          source: an existing path, from `remote.path`.
        """
        given = dataclasses.replace(self.output, overwrite=False)
        facts = (source_digest(source), self.timing, self.computing, given, vfi_jax.__version__)
        return hashlib.sha256(repr(facts).encode()).hexdigest()


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
        _ = (
            pipeline
            | beam.Create([(str(job.source), str(job.target)) for job in jobs])
            | beam.Reshuffle()  # otherwise one worker would get all videos
            | beam.Map(functools.partial(work, bulk))
        )
    records = [read_record(remote.path(job.target)) for job in jobs]
    found = [record for record in records if record is not None]
    _write_json(folder / MANIFEST, {"videos": [dataclasses.asdict(record) for record in found]})
    return found


def work(bulk: Bulk, paths: tuple[str, str]) -> None:
    """Process one video, unless it is done, and record it.

    Args:
      bulk: settings.
      paths: paths of source and target.
    """
    source, target = (remote.path(path) for path in paths)
    record = Record(*paths, request=_request(bulk, source))
    before = read_record(target)
    known = before if before and before.request == record.request else None
    if known and known.state == DONE and _matches(known):
        LOG.info("%s is done", target)
        return
    # A worker died after writing the target. Any other existing file is not replaced.
    ours = known is not None and known.state == RUNNING
    output = dataclasses.replace(bulk.output, overwrite=bulk.output.overwrite or ours)
    try:
        _check_absent(target, overwrite=output.overwrite)
        with _local(source, target) as (near, result):
            if before and not known and bulk.output.overwrite:
                with workspace(result.resolve(), discard=True):
                    pass  # removes parts of a different request
            record = _interpolated(bulk, output, record, near, result)
    except (ValueError, OSError) as error:
        record = dataclasses.replace(record, state=FAILED, error=summary(error))
        LOG.warning("%s: %s", source, record.error)
    _write(record)


def _interpolated(bulk, output, record, source, target):
    """The record of a video after all attempts, with local paths."""
    resume = not bulk.timing.shutter and target.suffix.lower() not in NOT_RESUMED
    output = dataclasses.replace(output, resume=resume)
    loading = functools.partial(_loaded, pickle.dumps(bulk.computing))
    for attempt in range(1, bulk.attempts + 1):
        record = dataclasses.replace(record, state=RUNNING, attempts=attempt)
        try:
            # Checked before writing the record; otherwise a user's file would look like the result
            # of a dead worker.
            folder = targets.is_folder(target)
            targets.check(source, target, folder=folder, overwrite=output.overwrite)
            _write(record)
            report = interpolate_with(loading, source, target, bulk.timing, bulk.computing, output)
        # Invalid files, full disks, and XLA errors such as insufficient memory.
        except (ValueError, OSError, RuntimeError) as error:
            record = dataclasses.replace(record, state=FAILED, error=summary(error))
            LOG.warning("%s, attempt %d: %s", source, attempt, record.error)
            if isinstance(error, ValueError):
                break  # a retry would fail the same way
        else:
            sha256, size = _measure(target)
            facts = {"sha256": sha256, "size": size, "frames": report.frames_out or 0}
            return dataclasses.replace(record, state=DONE, error="", **facts)
    return record


def read_record(target: Any) -> Record | None:
    """The record of a target, or None if there is no readable one.

    Args:
      target: a path from `remote.path`.
    """
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        return Record(**json.loads(_place(target).read_text()))
    return None


@functools.lru_cache(maxsize=2)  # one entry for large frames, one for others
def _loaded(computing, flow_scale):
    """The model, cached per process by pickled options, because mappings are not hashable."""
    return load(pickle.loads(computing), flow_scale)


def _request(bulk, source):
    return bulk.request(source) if source.exists() else ""


def _matches(record):
    target = remote.path(record.target)
    if not target.exists():
        return False
    with remote.local(target) as copy:
        return _measure(copy)[0] == record.sha256


def _measure(target):
    """SHA-256 and size of a file, or of the frames in a folder."""
    files = sorted(target.iterdir()) if targets.is_folder(target) else [target]
    return digest(files), sum(file.stat().st_size for file in files)


@contextlib.contextmanager
def _local(source: Any, target: Any) -> Iterator[tuple[Path, Path]]:
    """Local paths of a source and a target; a result for an object store is copied at the end."""
    with contextlib.ExitStack() as stack:
        near = stack.enter_context(remote.local(source))
        if not remote.is_remote(target):
            yield near, target
            return
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vfi_jax-bulk-"))
        result = Path(folder) / target.name
        yield near, result
        if result.exists():
            if target.is_dir():
                remote.delete(target)
            remote.publish(result, target)


def _check_absent(target, *, overwrite):
    if remote.is_remote(target) and target.exists() and not overwrite:
        raise ValueError(f"{target} exists; --overwrite (overwrite=True) replaces it")


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


def _write(record):
    _write_json(_place(remote.path(record.target)), dataclasses.asdict(record))


def _write_json(place, content):
    if remote.is_remote(place):
        place.write_text(json.dumps(content, indent=1))  # an object appears when it is complete
    else:
        write_json(place, content)


def _place(target):
    name = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    return target.parent / RECORDS / f"{name}.json"
