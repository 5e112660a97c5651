"""Train a system with the recipe of its paper, or with one of your own.

Everything that decides the outcome is written to WORKDIR/run.json. The same command with --resume
continues from the last checkpoint.
"""

import sys

from vfi_jax.training.options import Options as Args

STOPPED = 1  # exit code of a run that cannot continue


def run(args: Args) -> int:
    """Trains; returns the exit code."""
    from vfi_jax.training import loop

    try:
        loop.train(args)
    except loop.CannotContinue as error:
        print(f"vfi-jax: stopped: {error}", file=sys.stderr)
        return STOPPED
    return 0
