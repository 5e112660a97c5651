"""`python -m train.release RUN`: store a finished run's weights in the package, with a model card.

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
from vfi_jax import arguments, registry, weights
from vfi_jax.guard import guarded
from vfi_jax.training.run import RECORD
from vfi_jax.weights.places import packaged_folder


@dataclasses.dataclass(frozen=True)
class Options:
    """Store a finished run's weights in the package as float16, and write their model card."""

    run: Annotated[Path, tyro.conf.Positional]
    """Folder of the run."""

    steps: int = 0
    """Round kernels to 1/steps of their root mean square, a power of two; 0: no rounding. 16 makes
    the files a quarter smaller."""


def release(run: Path, steps: int = 0) -> Path:
    """Store the weights of a finished run and write their model card.

    Args:
      run: folder of the run.
      steps: round kernels to 1/steps of their root mean square, a power of two; 0: no rounding.

    Returns:
      Path of the model card.

    Raises:
      ValueError: the folder does not contain a finished run, `steps` is not a power of two, or the
        run started from weights of another project.
    """
    if steps < 0 or steps & (steps - 1):
        raise ValueError(f"steps must be a power of two, or 0 for no rounding, got {steps}")
    if not (run / RECORD).is_file() or not (run / "weights").is_dir():
        raise ValueError(f"{run} must contain a finished run, with {RECORD} and weights/")
    runs = history(run)
    name = runs[-1].model
    _, variables = weights.load(run / "weights")
    folder = packaged_folder(name)
    # Before the weights are replaced: the card describes those that the run started from.
    text = card(name, registry.count_parameters(variables), steps, runs)
    weights.save(
        folder,
        name,
        jax.tree.map(lambda array: _half(array, steps), variables),
        licence=LICENCE,
        source="trained by this project; the model card is next to this folder",
    )
    page = folder.with_suffix(".md")
    page.write_text(text)
    return page


def _half(array, steps):
    """As float16; kernels in multiples of 1/steps of their root mean square's power of two."""
    array = np.asarray(array, np.float32)
    power = np.sqrt(np.square(array).mean())
    if steps and array.ndim > 1 and power > 0:
        step = 2.0 ** np.floor(np.log2(power)) / steps
        array = np.round(array / step) * step
    return array.astype(np.float16)


def main() -> int:
    """Parse the command line and release; return the exit code."""

    def action():
        options = arguments.parse(Options, prog="python -m train.release")
        print(f"wrote {release(options.run, options.steps)}")
        return 0

    return guarded(action, prog="train.release")


if __name__ == "__main__":
    sys.exit(main())
