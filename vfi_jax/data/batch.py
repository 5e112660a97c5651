"""Raw clips to a training batch inside the jitted step, for both pipelines."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax.arrays import Array
from vfi_jax.contract import Contract
from vfi_jax.data import augment as augmentation
from vfi_jax.data.augment import Augment
from vfi_jax.data.collage import collage
from vfi_jax.data.degrade import degrade
from vfi_jax.data.training_windows import windows

Degrade = Callable[[Array, Array], Array]
LAYERS = 3  # layers of a collage


@dataclasses.dataclass(frozen=True)
class Preparation:
    """Converts clips to a batch.

    Attributes:
      contract: the model's contract.
      frames: number of frames of the longest clips.
      crop: height and width of the targets, in pixels.
      augment: augmentation of each clip.
      gaps: allowed distances between inputs, in frames; all that fit by default.
      targets: number of target times per window, if the contract allows any time.
      degrade: (key, input frames `[N, H, W, 3]`) -> input frames, for models that also restore
        frames.
    """

    contract: Contract
    frames: int
    crop: tuple[int, int]
    augment: Augment = Augment()
    gaps: tuple[int, ...] = ()
    targets: int = 1
    degrade: Degrade | None = None

    def __post_init__(self):
        self._windows()  # reject impossible gaps before compiling
        times = self.contract.times or ()
        between = self.contract.frames == 2 and all(0 <= time <= 1 for time in times)
        if self.augment.collages and not between:
            raise ValueError(
                "collages need a model of 2 input frames that predicts times between them, got "
                f"{self.contract.frames} frames and times {times}"
            )

    def __call__(self, raw: dict) -> dict:
        """A training batch.

        Args:
          raw: "clips" uint8 `[B, F, H, W, 3]`; "sizes" int32 `[B, 3]`, number of frames, height and
            width of each without padding; "seeds" uint32 `[B]`, one per clip.

        Returns:
          {"frames": `[B, N, h, w, 3]`, "times": `[B, T]`, "targets": `[B, T, crop, 3]`}, RGB in
          [0, 1]; h and w are the crop's divided by the contract's scale. With collages also
          {"motion": `[B, T, crop, 2]`, motion of the targets' pixels from time 0 to 1, in pixels;
          "known": `[B]`, 1 where `motion` is valid}.

        Raises:
          ValueError: the batch is too small for collages.
        """
        table = self._windows()
        lengths = np.asarray([window.length for window in table])
        columns = {
            "inputs": np.asarray([window.inputs for window in table]),
            "targets": np.asarray([window.targets for window in table]),
            "times": np.asarray([window.times for window in table], np.float32),
        }

        def one(clip, size, seed):
            keys = _keys(seed)
            # The table is sorted by length, so the windows that fit are its first rows.
            fitting = jnp.sum(lengths <= size[0])
            row = jax.random.randint(keys.window, (), 0, fitting)
            chosen = {name: jnp.asarray(column)[row] for name, column in columns.items()}
            # Select frames first, then transform them: often only three of nine are needed.
            wanted = jnp.concatenate([chosen["inputs"], chosen["targets"]])
            seen = augmentation.reverse(keys.order, wanted, size[0], self.augment)
            frames = self._cropped(keys.crop, clip[seen], size[1:], seen)
            frames = augmentation.augment(keys.changes, frames, self.augment)
            frames = frames.astype(jnp.float32) / 255
            inputs, targets = jnp.split(frames, [self.contract.frames])
            inputs = self._inputs(keys.degradation, inputs)
            return {"frames": inputs, "times": chosen["times"], "targets": targets}

        batch = jax.vmap(one)(raw["clips"], raw["sizes"], raw["seeds"])
        return self._with_collages(batch, raw) if self.augment.collages else batch

    def _windows(self):
        return windows(self.contract, self.frames, gaps=self.gaps, targets=self.targets)

    def _with_collages(self, batch, raw):
        """The batch with a share of its examples replaced by collages of the clips' frames."""
        share, clips = self.augment.collages, len(raw["seeds"])
        count = self.augment.count_collages(clips)
        if not count:
            raise ValueError(f"a share of {share:.2g} collages needs a batch larger than {clips}")
        channels = dataclasses.replace(augmentation.NONE, channels=self.augment.channels)

        def still(clip, size, seed):
            which, colours = jax.random.split(_keys(seed).still)
            frame = clip[jax.random.randint(which, (), 0, size[0])]
            return augmentation.augment(colours, frame[None], channels)[0]

        def one(images, sizes, times, seed):
            drawing, degradation = jax.random.split(_keys(seed).collage)
            made = collage(drawing, images, sizes, times, self.crop)
            frames = self._inputs(degradation, made.frames)
            return {**made._asdict(), "frames": frames, "known": jnp.float32(1)}

        # Sorted by seed, so that the order of clips over processes does not matter.
        order = jnp.argsort(raw["seeds"])
        stills = jax.vmap(still)(raw["clips"], raw["sizes"], raw["seeds"])[order]
        sizes = raw["sizes"][order, 1:]
        images, sizes = (
            jnp.stack([jnp.roll(x, -layer, axis=0)[:count] for layer in range(LAYERS)], axis=1)
            for x in (stills, sizes)
        )
        chosen = order[:count]
        made = jax.vmap(one)(images, sizes, batch["times"][chosen], raw["seeds"][chosen])
        motion = jnp.zeros((*batch["targets"].shape[:-1], 2))
        batch = {**batch, "motion": motion, "known": jnp.zeros(clips)}
        return {**batch, **{name: batch[name].at[chosen].set(x) for name, x in made.items()}}

    def _cropped(self, key, frames, size, indices):
        still = self._still_crop(key, frames, size)
        if not self.augment.pan:
            return still
        whether, key = jax.random.split(key)
        moving = augmentation.moving_crop(
            key, frames, size, self.crop, indices=indices, most=self.augment.pan
        )
        return jnp.where(jax.random.bernoulli(whether), moving, still)

    def _still_crop(self, key, frames, size):
        least, most = self.augment.shrink, self.augment.enlarge
        if least == most == 1:
            return augmentation.crop(key, frames, size, self.crop)
        return augmentation.scaled_crop(key, frames, size, self.crop, least=least, most=most)

    def _inputs(self, key, frames):
        if self.contract.scale > 1:
            # Published low-resolution frames are 8-bit files, so training uses the same rounding.
            frames = degrade(frames, self.contract.scale)
        return frames if self.degrade is None else self.degrade(key, frames)


class _Keys(NamedTuple):
    """Random keys of a clip."""

    crop: Array
    changes: Array
    window: Array
    order: Array
    degradation: Array
    still: Array
    collage: Array


def _keys(seed):
    return _Keys(*jax.random.split(jax.random.key(seed), len(_Keys._fields)))
