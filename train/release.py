"""`python -m train.release RUN`: a finished run's weights into the package, with a model card.

`vfi-jax evaluate ... --markdown CARD` then adds scores to the card.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import tyro

from train.card import LICENCE, card, history
from vfi_jax import registry, weights
from vfi_jax.guard import guarded
from vfi_jax.training.run import RECORD
from vfi_jax.weights.places import packaged_folder


@dataclasses.dataclass(frozen=True)
class Options:
    """Store a finished run's weights in the package as float16, and write their model card."""

    run: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""

    steps: int = 0
    """Round kernels to so many steps in their root mean square, a power of two; 0 does not. With 16
    a file is a quarter smaller."""


def release(run: Path, steps: int = 0) -> Path:
    """Stores the weights of a finished run and writes their card.

    Args:
      run: folder of the run.
      steps: of a kernel's root mean square, a power of two, that it is rounded to; 0 for none.

    Returns:
      The card's file.

    Raises:
      ValueError: the folder holds no finished run, `steps` is no power of two, or the run started
        from weights that are not the package's own.
    """
    if steps < 0 or steps & (steps - 1):
        raise ValueError(f"steps must be a power of two, or 0 for no rounding, got {steps}")
    if not (run / RECORD).is_file() or not (run / "weights").is_dir():
        raise ValueError(f"{run} must hold a finished run, with {RECORD} and weights/ in it")
    runs = history(run)
    name = runs[-1].model
    _, variables = weights.load(run / "weights")
    folder = packaged_folder(name)
    # Before the weights are replaced: it tells of those that the run started from.
    text = card(name, registry.count_parameters(variables), steps, runs)
    weights.save(
        folder,
        name,
        jax.tree.map(lambda array: _half(array, steps), variables),
        licence=LICENCE,
        source="trained by this project; the model card lies beside this folder",
    )
    page = folder.with_suffix(".md")
    page.write_text(text)
    return page


def _half(array, steps):
    """As float16; a kernel in multiples of 1/steps of its root mean square's power of two."""
    array = np.asarray(array, np.float32)
    power = np.sqrt(np.square(array).mean())
    if steps and array.ndim > 1 and power > 0:
        step = 2.0 ** np.floor(np.log2(power)) / steps
        array = np.round(array / step) * step
    return array.astype(np.float16)


def main() -> int:
    """Parses the command line and releases; returns the exit code."""
    options = tyro.cli(Options, prog="python -m train.release")

    def action():
        print(f"wrote {release(options.run, options.steps)}")
        return 0

    return guarded(action, prog="train.release")


if __name__ == "__main__":
    sys.exit(main())
