"""A recipe: how a paper trains its system, as data and plain functions."""

import dataclasses
from collections.abc import Callable, Mapping

from vfi_jax.arrays import Array
from vfi_jax.contract import Contract
from vfi_jax.data.augment import Augment
from vfi_jax.data.batch import Preparation
from vfi_jax.training.optimizer import Optimizer

Parts = dict[str, Array]
Loss = Callable[[dict, dict, dict], tuple[Array, Parts]]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a system is trained where no option says otherwise.

    Attributes:
      model: name that `vfi_jax.create` takes.
      loss: (prediction, batch, frozen) -> (scalar, its parts by name). The prediction is the
        model's dict; `frozen` holds the variables of the `frozen` networks.
      summed: the loss is a sum over the batch, not a mean.
      optimizer: rule, learning rate, schedule and scale for each part.
      data: data sets by name.
      crop: height and width of the targets, in pixels.
      batch: clips in a step, over all devices.
      steps: of the optimiser.
      augment: what is drawn for each clip.
      gaps: distances between inputs in frames; all that fit by default.
      targets: times asked for in a window, where the contract leaves them free.
      ema: decay of the moving average of parameters that evaluation and export use; 0: none.
      frozen: fixed networks that the loss needs: its name for each -> name of its weights.
      start_from: weights that a part of the model starts from: path of the part -> their name.
      degrade: (key, inputs `[N, H, W, 3]`) -> inputs, for systems that also restore.
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
    degrade: Callable[[Array, Array], Array] | None = None

    def preparation(self, contract: Contract, frames: int) -> Preparation:
        """How clips of up to `frames` frames become a batch for a model of this contract."""
        return Preparation(
            contract=contract,
            frames=frames,
            crop=self.crop,
            augment=self.augment,
            gaps=self.gaps,
            targets=self.targets,
            degrade=self.degrade,
        )
