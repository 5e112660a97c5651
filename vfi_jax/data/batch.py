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
from vfi_jax.data.collage import collage
from vfi_jax.data.degrade import degrade
from vfi_jax.data.window import windows

Degrade = Callable[[Array, Array], Array]
LAYERS = 3  # of a collage


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

    def __post_init__(self):
        times = self.contract.times or ()
        between = self.contract.frames == 2 and all(0 <= time <= 1 for time in times)
        if self.augment.collages and not between:
            raise ValueError(
                "collages need a model of 2 frames that is asked for times between them, got "
                f"{self.contract.frames} frames and times {times}"
            )

    def __call__(self, raw: dict) -> dict:
        """A training batch.

        Args:
          raw: "clips" uint8 `[B, F, H, W, 3]`; "sizes" int32 `[B, 3]`, the frames, height and
            width of each that are not padding; "seeds" uint32 `[B]`, one for each clip.

        Returns:
          {"frames": `[B, N, h, w, 3]`, "times": `[B, T]`, "targets": `[B, T, crop, 3]`}, RGB in
          [0, 1]; h and w are the crop's over the contract's scale. With collages also {"motion":
          `[B, T, crop, 2]` pixels from time 0 to 1 of what the targets show, "known": `[B]`, 1
          where that is so, 0 where `motion` says nothing}.

        Raises:
          ValueError: there are to be collages, and the batch is too small for one.
        """
        table = windows(self.contract, self.frames, gaps=self.gaps, targets=self.targets)
        lengths = np.asarray([window.length for window in table])
        columns = {
            "inputs": np.asarray([window.inputs for window in table]),
            "targets": np.asarray([window.targets for window in table]),
            "times": np.asarray([window.times for window in table], np.float32),
        }

        def one(clip, size, seed):
            keys = _keys(seed)
            if self.augment.shrink < 1:
                least = self.augment.shrink
                clip = augmentation.shrunk_crop(keys[0], clip, size[1:], self.crop, least)
            else:
                clip = augmentation.crop(keys[0], clip, size[1:], self.crop)
            clip = augmentation.augment(keys[1], clip, size[0], self.augment)
            # The table ascends in length, so the windows that fit are its first rows.
            fitting = jnp.sum(lengths <= size[0])
            row = jax.random.randint(keys[2], (), 0, fitting)
            chosen = {name: jnp.asarray(column)[row] for name, column in columns.items()}
            targets = clip[chosen["targets"]].astype(jnp.float32) / 255
            frames = self._inputs(keys[3], clip[chosen["inputs"]].astype(jnp.float32) / 255)
            return {"frames": frames, "times": chosen["times"], "targets": targets}

        batch = jax.vmap(one)(raw["clips"], raw["sizes"], raw["seeds"])
        return self._with_collages(batch, raw) if self.augment.collages else batch

    def _with_collages(self, batch, raw):
        """The batch with a share of its examples replaced by collages of all clips' frames."""
        share, clips = self.augment.collages, len(raw["seeds"])
        count = self.augment.count_collages(clips)
        if not count:
            raise ValueError(f"a share of {share:.2g} collages needs a batch larger than {clips}")
        channels = dataclasses.replace(augmentation.NONE, channels=self.augment.channels)

        def still(clip, size, seed):
            keys = jax.random.split(_keys(seed)[4], 2)
            frame = clip[jax.random.randint(keys[0], (), 0, size[0])]
            return augmentation.augment(keys[1], frame[None], size[0], channels)[0]

        def one(images, sizes, times, seed):
            keys = jax.random.split(_keys(seed)[5], 2)
            moments = jnp.concatenate([jnp.arange(2.0), times])
            frames, motion = collage(keys[0], images, sizes, moments, self.crop)
            return {
                "frames": self._inputs(keys[1], frames[:2]),
                "targets": frames[2:],
                "motion": motion[2:],
                "known": jnp.float32(1),
            }

        # By their seeds, so that it does not matter in which order processes hold the clips.
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

    def _inputs(self, key, frames):
        if self.contract.scale > 1:
            # Published low-resolution frames are 8-bit files: the model must learn their rounding.
            frames = degrade(frames, self.contract.scale)
        return frames if self.degrade is None else self.degrade(key, frames)


def _keys(seed):
    """Of a clip: for its crop, changes, window, degradation, and for its still and its collage."""
    return jax.random.split(jax.random.key(seed), 6)
