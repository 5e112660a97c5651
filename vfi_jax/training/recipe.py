"""Recipes: a paper's training settings as data and plain functions."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from vfi_jax.arrays import Array
from vfi_jax.contract import Contract
from vfi_jax.data.augment import Augment
from vfi_jax.data.batch import Preparation
from vfi_jax.training.optimizer import Optimizer

Parts = dict[str, Array]
Loss = Callable[[dict, dict, dict], tuple[Array, Parts]]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Default training settings of a system.

    Attributes:
      model: name for `vfi_jax.create`.
      loss: (prediction, batch, frozen) -> (scalar, its parts by name). The prediction is the
        model's dict; `frozen` contains the variables of the `frozen` networks.
      summed: the loss is a sum over the batch, not a mean.
      optimizer: rule, learning rate, schedule and scale per part.
      data: names of data sets.
      crop: height and width of the targets, in pixels.
      batch: clips per step over all devices.
      steps: number of optimiser steps.
      augment: augmentation of each clip.
      gaps: distances between inputs in frames; all that fit by default.
      targets: number of target times per window, if the contract allows any time.
      ema: decay of the moving average of parameters, used for evaluation and export; 0: none.
      frozen: fixed networks of the loss: name in the loss -> name of the weights.
      start_from: initial weights of parts of the model: path of the part -> name of the weights.
      fine_tuning: fields to replace when training starts from the user's weights.
      degrade: (key, inputs `[N, H, W, 3]`) -> inputs, for systems that also restore frames.
    """

    model: str
    loss: Loss
    optimizer: Optimizer
    summed: bool = False
    data: tuple[str, ...] = ("synthetic",)
    crop: tuple[int, int] = (256, 256)
    batch: int = 16
    steps: int = 100_000
    augment: Augment = Augment()
    gaps: tuple[int, ...] = ()
    targets: int = 1
    ema: float = 0.0
    frozen: Mapping[str, str] = dataclasses.field(default_factory=dict)
    start_from: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fine_tuning: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    degrade: Callable[[Array, Array], Array] | None = None

    def preparation(self, contract: Contract, frames: int) -> Preparation:
        """Conversion of clips of up to `frames` frames to a batch for a model of this contract."""
        return Preparation(
            contract=contract,
            frames=frames,
            crop=self.crop,
            augment=self.augment,
            gaps=self.gaps,
            targets=self.targets,
            degrade=self.degrade,
        )
