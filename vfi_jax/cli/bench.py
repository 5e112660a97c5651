"""Time operations or models on this machine, beside what the machine can do at best.

Operations multiply in full float32; the roofline is the least time that the measured bandwidth and
arithmetic allow, over the time taken.
"""

import dataclasses
import os
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax bench`."""

    target: Positional[Literal["ops", "models"]]
    """What to time."""

    names: Positional[tuple[str, ...]] = ()
    """Which of them; all operations by default."""

    size: str = "448x256"
    """Width x height of the images, in pixels."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of the first array of an operation: its image or features."""

    backend: Literal["xla", "pallas"] = "xla"
    """Form of the operations: compiled by XLA, or kernels where there are any."""

    gradients: bool = False
    """Time the way back as well."""

    precision: str | None = None
    """Of a model's convolutions: highest, or default for speed."""

    repeats: int = 7
    """Timed calls, of which the median counts."""

    against: Literal["torch"] | None = None
    """Time the same in PyTorch, in turns; where it is installed beside a checkout."""

    pin: bool = False
    """Run on one core."""

    out: Path = Path("bench.json")
    """File for the numbers."""


def run(args: Args) -> int:
    """Times what was asked for; prints a table and writes the file."""
    size = _size(args.size)
    if args.pin:
        _pin()  # before jax starts as many threads as there are cores
    import rich
    from rich.progress import track

    from vfi_jax import bench

    if args.target == "ops":
        cases = bench.operation_cases(args.names, size=size)
    else:
        cases = bench.model_cases(args.names, size=size, precision=args.precision)
    find = bench.rivals(args.against) if args.against else None
    machine = bench.Bench(repeats=args.repeats)
    rows = []
    for case in track(cases, description="timing", transient=True):
        for gradients in (False, True)[: 1 + (args.gradients and case.differentiable)]:
            rival = find(case, gradients) if find else None
            rows.append(
                machine.run(
                    case,
                    size=size,
                    gradients=gradients,
                    backend=args.backend,
                    dtype=args.dtype,
                    rival=rival,
                )
            )
    rich.print(bench.table(machine, rows, rival=args.against))
    bench.save(args.out, machine, rows)
    print(f"written to {args.out}")
    return 0


def _size(text):
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise ValueError(f"--size must be WIDTHxHEIGHT, such as 1280x720, got {text!r}")
    return int(height), int(width)


def _pin():
    if not hasattr(os, "sched_setaffinity"):
        raise ValueError("--pin needs Linux; elsewhere leave it out")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
