"""Benchmark operations, models or startup on this machine, compared with the machine's limits.

`ops` and `models` time the named operations or models. `accelerator` measures inference and
training of all systems at 1280x720 and 1920x1080, in three precisions and with batches of 1 and 8,
most important first, for at most --seconds. `estimates` computes lower bounds for GPUs and TPUs
from their data sheets. `interpolate` compares vfi_jax.interpolate with model.apply on the same
windows. `start` times the stages from a fresh process to its first frame, with and without cached
programs. Operations are computed in full float32. Roofline is the minimum time by the measured
bandwidth and FLOP/s, divided by the measured time.
"""

import dataclasses
import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

PIPE_WIDTH = 200  # columns if the output is not a terminal


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax bench`."""

    target: Positional[Literal["ops", "models", "accelerator", "estimates", "interpolate", "start"]]
    """What to measure."""

    names: Positional[tuple[str, ...]] = ()
    """Names of operations or models. Default: all operations; the default model for `interpolate`
    and `start`. `models` requires names or --all."""

    all: bool = False
    """All models."""

    size: tuple[str, ...] = ()
    """Image sizes, WIDTHxHEIGHT in pixels. Default for ops and models: 448x256."""

    batch: tuple[int, ...] = ()
    """Number of windows per model call. Default: 1; for `accelerator`: 1 and 8."""

    training: bool = False
    """Also time a training step of each model: L1 loss, Adam."""

    seconds: float = 420.0
    """Time limit after which `accelerator` starts no further measurement, in seconds."""

    workers: int = 8
    """Number of parallel compilations for `accelerator`."""

    dtype: tuple[Literal["float32", "bfloat16"], ...] = ("float32",)
    """Types of an operation's first array (image or features)."""

    backend: tuple[Literal["xla", "pallas"], ...] = ("xla",)
    """Implementations of the operations: XLA, or Pallas kernels if available."""

    gradients: bool = False
    """Also time the backward pass."""

    precision: str | None = None
    """Precision of a model's convolutions: highest, or default for speed."""

    repeats: int = 7
    """Number of timed calls; the median is reported."""

    against: Path | None = None
    """Python file with other implementations to compare with, such as tests/against_torch.py."""

    pin: bool = False
    """Run on one core, and count CPU time, which other processes hardly disturb."""

    out: Path = Path("bench.json")
    """Output file; `accelerator` and `estimates` also write a Markdown page next to it."""


def run(args: Args) -> int:
    """Measure, print a table and write the file."""
    if args.target in ("accelerator", "estimates"):
        from vfi_jax.cli import _bench_pages

        return getattr(_bench_pages, args.target)(args)
    if args.target != "ops" and args.dtype != ("float32",):
        raise ValueError("--dtype applies to operations; for models use --precision")
    if args.against and args.dtype != ("float32",):
        raise ValueError("--against supports float32 only; omit --dtype")
    if args.against and args.target not in ("ops", "models"):
        raise ValueError(f"--against compares ops and models; omit it for {args.target}")
    if args.pin:
        _pin()  # before jax starts one thread per core
    if args.target == "start":
        return _start(args)
    from rich.console import Console

    from vfi_jax import bench
    from vfi_jax.cli._size import parse_size

    find, name = None, ""
    if args.against:
        find, name = bench.rival(args.against), args.against.stem.removeprefix("against_")
    runs = [
        (size, backend, _cases(args, size, backend))
        for size in map(parse_size, args.size or ("448x256",))
        for backend in args.backend
    ]
    clock = time.process_time if args.pin else time.perf_counter
    machine = bench.Bench(repeats=args.repeats, clock=clock)
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    rows = []
    for size, backend, cases in runs:
        for case in cases:
            for dtype in args.dtype:
                for gradients in (False, True)[: 1 + (args.gradients and case.differentiable)]:
                    rival = find(case, gradients) if find else None
                    with console.status(f"timing {case.name}"):
                        row = machine.run(
                            case,
                            size=size,
                            backend=backend,
                            dtype=dtype,
                            gradients=gradients,
                            rival=rival,
                        )
                    rows.append(row)
                    bench.save(args.out, machine, rows)  # per row, so a stopped run keeps them
    name = "apply" if args.target == "interpolate" else name
    console.print(bench.table(machine, rows, rival=name))
    print(f"written to {args.out}")
    return 0


def _cases(args, size, backend):
    from vfi_jax import bench, lookup, registry, weights

    if args.target == "ops":
        return bench.operation_cases(args.names, size=size, backend=backend)
    if args.target == "interpolate":
        names = args.names or (weights.DEFAULT,)
        return bench.interpolate_cases(names, size=size, precision=args.precision)
    names = lookup.modules(registry.MODELS) if args.all else args.names
    return itertools.chain.from_iterable(
        bench.model_cases(
            names, size=size, batch=batch, training=training, precision=args.precision
        )
        for batch in args.batch or (1,)
        for training in (False, True)[: 1 + args.training]
    )


def _start(args):
    """Time the startup of one model, print the stages and write them as JSON."""
    from rich.console import Console

    from vfi_jax import bench, weights
    from vfi_jax.cli._size import parse_size

    model, *more = args.names or (weights.DEFAULT,)
    first, *others = args.size or ("448x256",)
    if more or others:
        raise ValueError("start takes one model and one size")
    size = parse_size(first)
    stages = bench.start_stages(model, size=size, repeats=args.repeats)
    Console().print(bench.start_table(model, size, stages))
    rows = [dataclasses.asdict(stage) for stage in stages]
    args.out.write_text(json.dumps({"model": model, "size": size, "stages": rows}, indent=2) + "\n")
    print(f"written to {args.out}")
    return 0


def _pin():
    if not hasattr(os, "sched_setaffinity"):
        raise ValueError("--pin needs Linux; omit it elsewhere")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
