"""Interpolate many videos on several processes or machines with Apache Beam; resumable.

Results and manifest.json are written to --output-dir. The same command again skips finished videos
whose files match the manifest, and resumes unfinished ones. All other options are those of `vfi-jax
interpolate`. Needs the extra "beam".
"""

import dataclasses
import os
from typing import Annotated

import tyro

from vfi_jax.cli import interpolate
from vfi_jax.cli._batch import SOME_FAILED
from vfi_jax.cli._progress import print_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Args(interpolate.Args):
    """Options of `vfi-jax bulk`."""

    workers: int = 1
    """Number of processes on this machine. Pass options of other runners with --beam."""

    attempts: int = 3
    """Maximum number of attempts per video in one run."""

    split: int = 1
    """Maximum number of workers that share a long video. Default: one worker for each video."""

    beam: Annotated[
        tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="KEY=VALUE")
    ] = ()
    """Beam option, such as runner=DataflowRunner; may be repeated."""


def check(args: Args) -> None:
    """Check the arguments before weights are downloaded or loaded."""
    if args.output_dir is None:
        raise ValueError("pass --output-dir, the folder for the results")
    if args.workers < 1:
        raise ValueError(f"--workers must be at least 1, got {args.workers}")
    for option in args.beam:
        if "=" not in option:
            raise ValueError(f"--beam must be KEY=VALUE, got {option!r}")
    _what(args)
    _jobs(args)


def run(args: Args) -> int:
    """Write the results and the manifest, and print the failures."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # as for `vfi-jax interpolate`
    from vfi_jax import bulk

    jobs = _jobs(args)
    records = bulk.interpolate_bulk(jobs, _what(args), beam_options=_beam_options(args))
    failed = [record for record in records if record.state != bulk.DONE]
    if args.json:
        for record in records:
            print_json("record", **dataclasses.asdict(record))
    else:
        for record in failed:
            print(f"failed: {record.source}: {record.error}")
        done = len(records) - len(failed)
        print(f"{done} of {len(jobs)} videos are done; {args.output_dir}/{bulk.MANIFEST} lists all")
    return SOME_FAILED if failed else 0


def _jobs(args):
    from vfi_jax import bulk

    if not args.paths:
        raise ValueError("give one or more sources, got none")
    return bulk.find_jobs(args.paths, args.output_dir, suffix=args.suffix)


def _what(args):
    from vfi_jax.bulk import Bulk

    timing, computing, output = interpolate.groups_of(args)
    return Bulk(
        timing=timing, computing=computing, output=output, attempts=args.attempts, split=args.split
    )


def _beam_options(args):
    local = ["--direct_running_mode=multi_processing", f"--direct_num_workers={args.workers}"]
    return [*(local if args.workers > 1 else []), *(f"--{option}" for option in args.beam)]
