"""The work on one video."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

from vfi_jax import remote
from vfi_jax.bulk import parts
from vfi_jax.bulk.records import DONE, FAILED, RUNNING, Record, measure, read_record, write_record
from vfi_jax.bulk.settings import Bulk
from vfi_jax.video import Output, targets
from vfi_jax.video.batch import summary
from vfi_jax.video.interpolate import interpolate_with
from vfi_jax.video.workspace import workspace

LOG = logging.getLogger(__name__)


def work(bulk: Bulk, paths: tuple[str, str]) -> None:
    """Process one video, unless it is done, and record it.

    Args:
      bulk: settings.
      paths: paths of source and target.
    """
    source, target = (remote.path(path) for path in paths)
    record = Record(*paths, request=bulk.request(source) if source.exists() else "")
    before = read_record(target)
    known = before if before and before.request == record.request else None
    if known and known.is_done():
        LOG.info("%s is done", target)
        return
    output = bulk.output_for(target, known)
    try:
        _check_absent(target, overwrite=output.overwrite)
        with remote.local_pair(source, target) as (near, result):
            if before and not known and bulk.output.overwrite:
                with workspace(result.resolve(), discard=True):
                    pass  # removes parts of a different request
            parts.gather(target, record.request, result)
            record = _interpolated(bulk, output, record, near, result)
    except (ValueError, OSError) as error:
        record = dataclasses.replace(record, state=FAILED, error=summary(error))
        LOG.warning("%s: %s", source, record.error)
    write_record(record)
    if record.state == DONE:
        parts.remove(target)


def _interpolated(bulk: Bulk, output: Output, record: Record, source: Path, target: Path) -> Record:
    """The record of a video after all attempts, with local paths."""
    for attempt in range(1, bulk.attempts + 1):
        record = dataclasses.replace(record, state=RUNNING, attempts=attempt)
        try:
            # Checked before writing the record; otherwise a user's file would look like the result
            # of a dead worker.
            folder = targets.is_folder(target)
            targets.check(source, target, folder=folder, overwrite=output.overwrite)
            write_record(record)
            report = interpolate_with(
                bulk.load, source, target, bulk.timing, bulk.computing, output
            )
        # Invalid files, full disks, and XLA errors such as insufficient memory.
        except (ValueError, OSError, RuntimeError) as error:
            record = dataclasses.replace(record, state=FAILED, error=summary(error))
            LOG.warning("%s, attempt %d: %s", source, attempt, record.error)
            if isinstance(error, ValueError):
                break  # a retry would fail the same way
        else:
            sha256, size = measure(target)
            return dataclasses.replace(
                record,
                state=DONE,
                error="",
                sha256=sha256,
                size=size,
                frames=report.frames_out or 0,
            )
    return record


def _check_absent(target: Any, *, overwrite: bool) -> None:
    if remote.is_remote(target) and target.exists() and not overwrite:
        raise ValueError(f"{target} exists; --overwrite (overwrite=True) replaces it")
