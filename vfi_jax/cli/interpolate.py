"""Interpolate a video: a higher frame rate, or slow motion.

The source is any video that FFmpeg can read, a folder of images, or a name such as img_%04d.png.
The target's suffix selects the container (.mp4 .m4v .mov .mkv .webm .gif .apng .avi .ts .mxf);
without a suffix it is a folder of images, PNG unless --format is given. A GIF is limited to 50
frames per second; use --fps 50 for one of 30. Time stamps are exact, even for unevenly spaced
frames; audio, subtitles and colours are carried over. --slow 4 produces slow motion instead of a
higher rate.
"""

import contextlib
import dataclasses
import functools
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from vfi_jax import remote
from vfi_jax.cli._batch import run_batch
from vfi_jax.cli._progress import json_lines, print_json, progress_bar
from vfi_jax.cli._stoppable import Stoppable
from vfi_jax.video.options import Computing, Output, Timing, gathered

CONFIG = ("frames", "flow_scale")  # options of some models, by the names of their Config
LOG = logging.getLogger(__name__)
GIB = 2**30  # bytes
# Class attributes are the defaults; types on the command line are narrower than in Python.
TIMING: Any = Timing
COMPUTING: Any = Computing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Args(Output, Computing, Timing):
    """Options of `vfi-jax interpolate`: those of the library, with short names."""

    paths: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="PATH")]
    """SOURCE TARGET: a video or a folder of images, and the new file or folder (no suffix). With
    --output-dir one or more SOURCEs, which may also be glob patterns and folders of videos."""

    output_dir: str | None = None
    """Folder for the results of several sources, under the sources' names."""

    suffix: str | None = None
    """Suffix of the results in --output-dir, such as .mkv. If not given, the source's."""

    multi: Annotated[int | None, tyro.conf.arg(aliases=["-x"])] = Timing.multi
    fps: str | None = TIMING.fps
    source_fps: str | None = TIMING.source_fps
    start: str | None = TIMING.start
    end: str | None = TIMING.end
    shutter: tyro.conf.Suppress[float] = TIMING.shutter
    samples: tyro.conf.Suppress[int] = TIMING.samples
    model: Annotated[str | None, tyro.conf.arg(aliases=["-m"])] = COMPUTING.model
    weights: str | None = COMPUTING.weights
    config: tyro.conf.Suppress[Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    padding: str = COMPUTING.padding
    devices: str | None = COMPUTING.devices
    encoder_options: Annotated[
        tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="KEY=VALUE")
    ] = ()
    mask: Annotated[
        tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="BOX|PICTURE")
    ] = ()
    overwrite: Annotated[bool, tyro.conf.arg(aliases=["-y"])] = Output.overwrite

    memory: float | None = Computing.memory
    """Memory limit per call and device in GiB. Default: most of the device's memory."""

    frames: int | None = None
    """Number of input frames per model call, for a model that takes any number, such as
    zooming_slow_mo. 4 there if not given."""

    flow_scale: float | None = None
    """Fraction of the resolution at which RIFE, Practical-RIFE, IFRNet, UPR-Net and others with
    this option estimate flow. Default: 1; 0.5 for frames of 4K (3840 pixels or more), 0.25 of 8K,
    because of their large motions."""

    stats: bool = False
    """Report the utilisation of decoding, computing and encoding."""

    json: bool = False
    """Write progress and the report to stdout as JSON lines."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Minimum level of messages on stderr."""

    def __post_init__(self):
        """Checks nothing: the library's groups of options do, when they are gathered."""


def check(args: Args) -> None:
    """Check the arguments before weights are downloaded or loaded."""
    from vfi_jax.video import opening

    timing, _, output = groups_of(args)
    jobs = jobs_of(args)
    if args.output_dir is None:  # in a batch a source that cannot be read does not stop the others
        opening.check(jobs[0].source, jobs[0].target, timing, output)


def run(args: Args) -> int:
    """Write the targets and print the reports."""
    # XLA's own messages, such as the banner about slow compilation, are for its developers.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from vfi_jax.video.loading import load

    groups = groups_of(args)
    jobs, loading = jobs_of(args), functools.cache(functools.partial(load, groups[1]))
    if args.output_dir is None:
        _print_report(args, _interpolated(args, jobs[0], loading, groups))
        return 0
    Path(args.output_dir).mkdir(parents=True, exist_ok=True)
    return run_batch(
        jobs,
        lambda job, title: _interpolated(args, job, loading, groups, title),
        print_report=functools.partial(_print_report, args),
        json=args.json,
    )


def groups_of(args: Args) -> tuple[Timing, Computing, Output]:
    """The library's options."""
    given = {name: getattr(args, name) for name in CONFIG}
    config = {name: value for name, value in given.items() if value is not None}
    memory = None if args.memory is None else args.memory * GIB
    args = dataclasses.replace(args, config=config, memory=memory)
    return gathered(Timing, args), gathered(Computing, args), gathered(Output, args)


def jobs_of(args: Args) -> list[Any]:
    """What is to be done, as jobs of `vfi_jax.video.batch`."""
    from vfi_jax.video import batch, targets

    if args.output_dir is not None:
        if not args.paths:
            raise ValueError("give one or more sources with --output-dir, got none")
        folder = remote.on_this_machine(args.output_dir, option="--output-dir", way=targets.BULK)
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"--output-dir {args.output_dir} is a file")
        return batch.plan(batch.find_sources(args.paths), folder, suffix=args.suffix)
    if args.suffix is not None:
        raise ValueError("--suffix is for --output-dir; a target has its own")
    if len(args.paths) != 2:
        raise ValueError(
            "give SOURCE TARGET, or several sources and --output-dir FOLDER; got "
            f"{' '.join(args.paths) or 'none'}"
        )
    source, target = args.paths
    targets.named("target", target)  # Path("") would be the current folder
    return [batch.Job(targets.named("source", source), target)]


def _print_report(args, report):
    if args.json:
        print_json("report", **dataclasses.asdict(report))
        return
    print(report)
    if args.stats and report.busy:
        print(report.stats)


def _interpolated(args, job, loading, groups, title="interpolating"):
    """The report of a run that a signal ends within seconds."""
    from vfi_jax.video import workspace
    from vfi_jax.video.folder import split
    from vfi_jax.video.interpolate import interpolate_with

    written, total = 0, None

    def say_what_happened():
        of = f" of {total}" if total else ""
        kept = "; --resume continues" if args.resume else ""
        LOG.warning("stopped after %d%s frames; %s is not written%s", written, of, job.target, kept)

    def clean_up():
        workspace.abandon(split(Path(job.target))[0].resolve())
        say_what_happened()

    stoppable = Stoppable(clean_up)

    def progress(done, expected):
        nonlocal written, total
        written, total = done, expected
        stoppable.check()
        show(done, expected)

    bar = contextlib.nullcontext(json_lines()) if args.json else progress_bar(title)
    with bar as show:
        _log_to_stderr(args.log_level)  # above the bar, which redirects stderr
        try:
            return stoppable(
                lambda: interpolate_with(loading, job.source, job.target, *groups, progress)
            )
        except (KeyboardInterrupt, SystemExit):
            say_what_happened()
            raise


def _log_to_stderr(level):
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("vfi-jax: %(message)s"))
    log = logging.getLogger("vfi_jax")
    log.handlers, log.propagate = [handler], False  # absl prints what reaches the root once more
    log.setLevel(level.upper())
