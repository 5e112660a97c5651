"""Evaluation on held-out clips during training."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import metrics
from vfi_jax.data import augment
from vfi_jax.data.batch_source import open_batch_source
from vfi_jax.data.choice import HELD_OUT, Choice
from vfi_jax.training.recipe import Recipe

METRICS = ("psnr", "haarpsi", "gmsd")
CLIPS = 16  # number of windows: enough to show a trend without slowing training


class Evaluation:
    """Evaluates fixed windows of the validation split."""

    def __init__(self, model: nn.Module, recipe: Recipe, choice: Choice):
        """Read the windows.

        Args:
          model: the model in training.
          recipe: defines the crop and the preprocessing.
          choice: the training data; uses the "val" split of each set, or "test" if there is none.

        Raises:
          ValueError: a set has neither split, or its clips are too short or too small.
        """
        held_out = dataclasses.replace(
            choice,
            split=HELD_OUT,
            region=None,
            batch=1,
            shard=(0, 1),
            seed=0,
            scenes=CLIPS,
        )
        source = open_batch_source(held_out)
        plain = dataclasses.replace(recipe, augment=augment.NONE)
        prepare = _preparation(plain, model.contract, source.frames)
        read = jax.jit(lambda arrays, drawn: prepare(source.gather(arrays, drawn)))
        self._batches = [read(source.arrays, source.draw(step)) for step in range(CLIPS)]
        self._predict = jax.jit(
            lambda variables, batch: model.apply(variables, batch["frames"], batch["times"])
        )
        source.close()

    def __call__(self, variables: dict) -> tuple[dict[str, float], np.ndarray]:
        """Mean scores of 8-bit predictions, and a strip of images.

        Args:
          variables: variables of the model.

        Returns:
          (scores by the names in `METRICS`, uint8 `[H, 4 W, 3]`: first input, last input,
          prediction, target).
        """
        scores = []
        for batch in self._batches:
            frames = self._predict(variables, batch)["frames"]
            scores.append(_scores(frames, batch["targets"]))
        means = jax.tree.map(lambda *values: float(np.mean(values)), *scores)
        frames = self._predict(variables, self._batches[0])["frames"]
        return means, _strip(self._batches[0], frames)


def _preparation(recipe, contract, frames):
    try:
        return recipe.preparation(contract, frames)
    except ValueError as error:
        raise ValueError(f"held-out {error}, or disable evaluation (--eval-every 0)") from error


@jax.jit
def _scores(frames, targets):
    seen = _eight_bit(frames), _eight_bit(targets)
    return {name: getattr(metrics, name)(*seen, peak=255.0).mean() for name in METRICS}


def _eight_bit(frames):
    return jnp.round(jnp.clip(frames, 0, 1) * 255)


def _strip(batch, frames):
    targets = batch["targets"][0, 0]
    shown = [batch["frames"][0, 0], batch["frames"][0, -1], frames[0, 0], targets]
    shown = [jax.image.resize(image, targets.shape, "nearest") for image in shown]
    return np.asarray(_eight_bit(jnp.concatenate(shown, axis=1)), np.uint8)
