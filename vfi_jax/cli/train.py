"""Train a system with its paper's recipe, or with your own.

All settings are written to WORKDIR/run.json. The same command with --resume continues from the last
checkpoint.
"""

import sys

from vfi_jax.training.options import Options as Args

STOPPED = 1  # exit code of a run that cannot continue


def run(args: Args) -> int:
    """Train and return the exit code."""
    from vfi_jax.training import loop

    try:
        loop.train(args)
    except loop.CannotContinue as error:
        print(f"vfi-jax: stopped: {error}", file=sys.stderr)
        return STOPPED
    return 0
