"""Store a system with its weights as one file that runs with JAX alone.

The file holds StableHLO for the platforms that are named and is compiled where it is loaded:
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
    """A system that `vfi-jax models` lists, a checkpoint's folder or its authors' file."""

    target: tyro.conf.Positional[Path]
    """The file to write, such as model.jax."""

    size: str
    """WIDTHxHEIGHT of the frames, in pixels."""

    times: int | None = None
    """How many frames one call makes, of a system that answers any time; 1 if not given."""

    batch: int = 1
    """Windows in one call."""

    platforms: tuple[str, ...] = ("cpu", "cuda", "tpu")
    """Where it will run."""

    overwrite: Annotated[bool, tyro.conf.arg(aliases=["-y"])] = False
    """Replace a file that exists."""


def run(args: Args) -> int:
    """Writes the file and says what it takes and gives."""
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
