"""`python -m train SYSTEM --workdir D`: the command line of training."""

import sys

import tyro

from train.options import Options


def main() -> int:
    """Parses the command line and trains; returns the exit code."""
    options = tyro.cli(Options, prog="python -m train")
    # JAX is imported after parsing: --help and a wrong option answer at once.
    from train import loop

    try:
        return loop.train(options)
    except (ValueError, FileNotFoundError, FileExistsError) as error:
        print(f"train: error: {error}", file=sys.stderr)
        return 2
    except loop.Stopped as error:
        print(f"train: stopped: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
