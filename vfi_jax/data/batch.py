"""From raw clips to a training batch, inside the jitted step; both pipelines end here."""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax.arrays import Array
from vfi_jax.contract import Contract
from vfi_jax.data import augment as augmentation
from vfi_jax.data.augment import Augment
from vfi_jax.data.degrade import degrade
from vfi_jax.data.window import windows

Degrade = Callable[[Array, Array], Array]


@dataclasses.dataclass(frozen=True)
class Preparation:
    """How clips become a batch.

    Attributes:
      contract: of the model.
      frames: the longest clips' number of frames.
      crop: height and width of the targets, in pixels.
      augment: what is drawn for each clip.
      gaps: distances between inputs, in frames; all that fit by default.
      targets: times asked for in a window, where the contract leaves them free.
      degrade: (key, input frames `[N, H, W, 3]`) -> input frames, for models that also restore.
    """

    contract: Contract
    frames: int
    crop: tuple[int, int]
    augment: Augment = Augment()
    gaps: tuple[int, ...] = ()
    targets: int = 1
    degrade: Degrade | None = None

    def __call__(self, raw: dict) -> dict:
        """A training batch.

        Args:
          raw: "clips" uint8 `[B, F, H, W, 3]`; "sizes" int32 `[B, 3]`, the frames, height and
            width of each that are not padding; "seeds" uint32 `[B]`, one for each clip.

        Returns:
          {"frames": `[B, N, h, w, 3]`, "times": `[B, T]`, "targets": `[B, T, crop, 3]`}, RGB in
          [0, 1]; h and w are the crop's over the contract's scale.
        """
        table = windows(self.contract, self.frames, gaps=self.gaps, targets=self.targets)
        lengths = np.asarray([window.length for window in table])
        columns = {
            "inputs": np.asarray([window.inputs for window in table]),
            "targets": np.asarray([window.targets for window in table]),
            "times": np.asarray([window.times for window in table], np.float32),
        }

        def one(clip, size, seed):
            keys = jax.random.split(jax.random.key(seed), 4)
            clip = augmentation.crop(keys[0], clip, size[1:], self.crop)
            clip = augmentation.augment(keys[1], clip, size[0], self.augment)
            # The table ascends in length, so the windows that fit are its first rows.
            fitting = jnp.sum(lengths <= size[0])
            row = jax.random.randint(keys[2], (), 0, fitting)
            chosen = {name: jnp.asarray(column)[row] for name, column in columns.items()}
            targets = clip[chosen["targets"]].astype(jnp.float32) / 255
            frames = self._inputs(keys[3], clip[chosen["inputs"]].astype(jnp.float32) / 255)
            return {"frames": frames, "times": chosen["times"], "targets": targets}

        return jax.vmap(one)(raw["clips"], raw["sizes"], raw["seeds"])

    def _inputs(self, key, frames):
        if self.contract.scale > 1:
            # Published low-resolution frames are 8-bit files: the model must learn their rounding.
            frames = degrade(frames, self.contract.scale)
        return frames if self.degrade is None else self.degrade(key, frames)
