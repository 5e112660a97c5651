"""Export a system with its weights to one file that needs only JAX to run.

The file contains StableHLO for the given platforms and is compiled after loading:
`jax.export.deserialize(Path("model.jax").read_bytes()).call(frames, times)`.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax export`."""

    model: tyro.conf.Positional[str]
    """Name of a system (see `vfi-jax models`), a checkpoint folder or the authors' file."""

    target: tyro.conf.Positional[Path]
    """Output file, such as model.jax."""

    size: str
    """Size of the frames, WIDTHxHEIGHT in pixels."""

    times: int | None = None
    """Output frames per call, for systems of any time. Default: 1."""

    batch: int = 1
    """Windows per call."""

    platforms: tuple[str, ...] = ("cpu", "cuda", "tpu")
    """Target platforms."""

    overwrite: Annotated[bool, tyro.conf.arg(aliases=["-y"])] = False
    """Replace an existing file."""


def run(args: Args) -> int:
    """Write the file and print its inputs and outputs."""
    from vfi_jax import export, weights
    from vfi_jax.cli._size import parse_size

    size = parse_size(args.size)
    model, variables = weights.load(args.model)
    path = export.export(
        model,
        variables,
        args.target,
        size=size,
        times=args.times,
        batch=args.batch,
        platforms=args.platforms,
        overwrite=args.overwrite,
    )
    print(f"{path}: {path.stat().st_size:,} bytes, for {', '.join(args.platforms)}")
    return 0
