"""`python -m checkpoints convert|list|verify`: the weights on this machine."""

import functools
import sys
from pathlib import Path

import tyro
from tyro.conf import Positional

from vfi_jax import weights
from vfi_jax.cli import convert as convert_command
from vfi_jax.guard import guarded


def convert(
    system: Positional[str],
    file: Positional[Path | None] = None,
    out: Path | None = None,
    key: str | None = None,
) -> int:
    """Convert a PyTorch file and store it; the same as `vfi-jax convert`.

    Args:
      system: whose weights they are, such as sepconv/l1; or the file itself, to be recognised.
      file: the PyTorch file; without it the released one is downloaded where there is a link.
      out: folder to store in, instead of the user's weights folder.
      key: which set of weights to take where the file holds several, such as params_ema.
    """
    return convert_command.run(convert_command.Args(system, file, out, key))


def list_() -> int:
    """List the checkpoints that are here, and how to come by those that could be."""
    stored = weights.stored()
    for name in sorted({*stored, *weights.records()}):
        print(f"{name:<16} {stored.get(name) or weights.advice(name)}")
    return 0


def verify(names: Positional[tuple[str, ...]] = ()) -> int:
    """Hold stored checkpoints to their SHA-256 manifests.

    Args:
      names: models or folders; all stored ones by default.
    """
    for name in names or weights.stored():
        print(f"{name:<16} {weights.verify(name)} is whole")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Runs a command line; returns the exit code."""
    command = functools.partial(
        tyro.extras.subcommand_cli_from_dict,
        {"convert": convert, "list": list_, "verify": verify},
        args=arguments,
        prog="python -m checkpoints",
        description=__doc__,
    )
    return guarded(command, prog="checkpoints")


if __name__ == "__main__":
    sys.exit(main())
