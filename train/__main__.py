"""`python -m train SYSTEM --workdir D`: the command line of training."""

import sys

import tyro

from train.options import Options
from vfi_jax import compile_cache
from vfi_jax.guard import guarded

STOPPED = 1


def main() -> int:
    """Parses the command line and trains; returns the exit code."""
    options = tyro.cli(Options, prog="python -m train")
    compile_cache.switch_on()
    return guarded(lambda: _train(options), prog="train")


def _train(options):
    # JAX is imported after parsing: --help and a wrong option answer at once.
    from train import loop

    try:
        return loop.train(options)
    except loop.CannotContinue as error:
        print(f"train: stopped: {error}", file=sys.stderr)
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
