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
from train.run import RECORD
from vfi_jax import registry, weights
from vfi_jax.cli.__main__ import guarded
from vfi_jax.weights.places import packaged_folder


@dataclasses.dataclass(frozen=True)
class Options:
    """Store finished runs' weights in the package as float16, and write their model card."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """The run's folder; of several that went on from the same weights, their mean is stored."""

    steps: int = 0
    """Round kernels to so many steps in their root mean square, a power of two; 0 does not. With 16
    a file is a quarter smaller."""


def release(*folders: Path, steps: int = 0) -> Path:
    """Stores the weights of finished runs and writes their card.

    The mean of weights that were trained on, from the same start and in different order, is often
    better than any of them (Wortsman et al. 2022, arXiv:2203.05482).

    Args:
      folders: of the run, or of several of one model whose mean is stored.
      steps: of a kernel's root mean square, a power of two, that it is rounded to; 0 for none.

    Returns:
      The card's file.

    Raises:
      ValueError: no folder, one that holds no finished run, runs of different models or starts, or
        `steps` is no power of two.
    """
    if steps < 0 or steps & (steps - 1):
        raise ValueError(f"steps must be a power of two, or 0 for no rounding, got {steps}")
    for folder in folders:
        if not (folder / RECORD).is_file() or not (folder / "weights").is_dir():
            raise ValueError(f"{folder} must hold a finished run, with {RECORD} and weights/ in it")
    histories = [history(folder) for folder in folders]
    origins = {(runs[-1].model, runs[-1].started_from) for runs in histories}
    if len(origins) != 1:
        shown = " and ".join(f"{name} from {start or 'nothing'}" for name, start in sorted(origins))
        raise ValueError(
            f"runs must be of one model and start from the same weights, got {shown or 'none'}"
        )
    name = histories[0][-1].model
    loaded = [weights.load(folder / "weights")[1] for folder in folders]
    variables = jax.tree.map(lambda *arrays: np.mean(arrays, axis=0), *loaded)
    target = packaged_folder(name)
    earlier, last = histories[0][:-1], [runs[-1] for runs in histories]
    # Before the weights are replaced: it tells of those that the runs started from.
    text = card(name, registry.count_parameters(variables), steps, earlier, last)
    weights.save(
        target,
        name,
        jax.tree.map(lambda array: _half(array, steps), variables),
        licence=LICENCE,
        source="trained by this project; the model card lies beside this folder",
    )
    page = target.with_suffix(".md")
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
        print(f"wrote {release(*options.runs, steps=options.steps)}")
        return 0

    return guarded(action, prog="train.release")


if __name__ == "__main__":
    sys.exit(main())
