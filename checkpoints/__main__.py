"""`python -m checkpoints convert|list|verify`: manage the weights on this machine."""

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
      system: model of the weights, such as sepconv/l1; or only the file, to be recognised.
      file: the PyTorch file. Default: download the released file, if there is a direct link.
      out: output folder. Default: the user's weights folder.
      key: name of the set of weights if the file contains several, such as params_ema.
    """
    return convert_command.run(convert_command.Args(system, file, out, key))


def list_() -> int:
    """List installed checkpoints, and how to get the others."""
    stored = weights.stored()
    for name in sorted({*stored, *weights.records()}):
        print(f"{name:<16} {stored.get(name) or weights.advice(name)}")
    return 0


def verify(names: Positional[tuple[str, ...]] = ()) -> int:
    """Verify stored checkpoints against their SHA-256 manifests.

    Args:
      names: models or folders. Default: all installed checkpoints.
    """
    for name in names or weights.stored():
        print(f"{name:<16} {weights.verify(name)} is intact")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return the exit code."""
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
