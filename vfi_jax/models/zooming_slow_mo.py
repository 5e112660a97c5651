"""Zooming Slow-Mo: joint frame interpolation and 4x super-resolution."""

import dataclasses
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, leaky_relu
from vfi_jax.layers.deformable import ZEROS, FeaturePyramid, MutualAlignment
from vfi_jax.layers.precision import precision
from vfi_jax.layers.recurrent import BidirectionalLSTM
from vfi_jax.layers.residual import ResidualBlocks, correction
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

SCALE = 4  # output size over input size


@dataclasses.dataclass(frozen=True)
class Config:
    """Zooming Slow-Mo.

    Attributes:
      frames: number of input frames per window, at least 2; the same weights work for any.
      features: channels of all features at the input's resolution.
      upsampled: channels at twice and four times the resolution.
      groups: groups of the deformable convolutions.
      front: number of residual blocks that extract features.
      back: number of residual blocks that reconstruct.
      residual: predict a residual, initialised to zero, of the bicubically upsampled inputs
        (averaged for the frames between them). Not in the paper; it saves a small network from
        learning to copy.
      dtype: type of the convolutions; parameters, offsets and states stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: fewer than two frames.
    """

    frames: int = 4
    features: int = 64
    upsampled: int = 64
    groups: int = 8
    front: int = 5
    back: int = 40
    residual: bool = False
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        if self.frames < 2:
            raise ValueError(f"frames must be at least 2, got {self.frames}")


VARIANTS = {
    "small": Config(features=12, upsampled=16, groups=2, front=1, back=5, residual=True),
}


class Model(nn.Module):
    """Space-time super-resolution. Xiang et al., CVPR 2020 (arXiv:2002.11616).

    Features of every missing frame are fused from its neighbours' features, aligned to each other.
    A bidirectional LSTM with the same kind of alignment runs over all frames. Residual blocks and
    two upsamplings by 2 reconstruct each frame. N frames in, 2 N - 1 out, at 0, 0.5, 1, ..., N - 1.

    Loops are scans, so that compile time does not grow with N or the number of blocks.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        count = self.config.frames
        times = tuple(index / 2 for index in range(2 * count - 1))
        return Contract(frames=count, min_frames=2, times=times, scale=SCALE, multiple=4)

    @system
    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        config = self.config
        with precision(config.precision):
            known = self._features(frames)
            sequence = _interleaved(known, self._between(known))
            lstm = BidirectionalLSTM(config.groups, config.dtype, name="lstm")
            sequence = lstm(sequence)
            flat = sequence.reshape(-1, *sequence.shape[2:])
            flat = self._blocks(config.back, "reconstruct", flat)
            images = self._upsampled(flat.reshape(sequence.shape))
            if config.residual:
                means = (frames[:, :-1] + frames[:, 1:]) / 2
                images += ops.imresize(_interleaved(frames, means), SCALE)
            return {"frames": images}

    def _features(self, frames: Frames) -> Array:
        """Features `[B, N, H, W, C]` of each frame."""
        flat = frames.reshape(-1, *frames.shape[2:])
        stem = Conv(self.config.features, dtype=self.config.dtype, name="stem")
        flat = self._blocks(self.config.front, "extract", leaky_relu(stem(flat)))
        return flat.reshape(*frames.shape[:2], *flat.shape[1:])

    def _between(self, known: Array) -> Array:
        """Features `[B, N - 1, H, W, C]` of the missing frames, pair by pair."""
        config = self.config
        pyramid = FeaturePyramid(config.dtype, name="pyramid")
        flat = pyramid(known.reshape(-1, *known.shape[2:]))
        levels = [level.reshape(*known.shape[:2], *level.shape[1:]) for level in flat]
        pairs = [level[:, :-1] for level in levels], [level[:, 1:] for level in levels]
        each_pair = scan_shared(lambda align, carry, pair: (carry, align(*pair)), self)
        align = MutualAlignment(config.groups, config.dtype, name="align")
        return each_pair(align, None, pairs)[1]

    def _blocks(self, count: int, name: str, x: Image) -> Image:
        blocks = ResidualBlocks(
            count, dtype=self.config.dtype, kernel_init=_gentle, bias_init=ZEROS, name=name
        )
        return blocks(x)

    def _upsampled(self, sequence: Array) -> Frames:
        """Images from features `[B, T, H, W, C]`, one time per step to save memory."""
        each_time = scan_shared(lambda upsample, carry, x: (carry, upsample(x)), self)
        return each_time(Upsampling(self.config, name="upsample"), None, sequence)[1]


class Upsampling(nn.Module):
    """RGB at four times the size from features `[B, H, W, C]`; float32, not clipped."""

    config: Config

    @nn.compact
    def __call__(self, x: Image) -> Image:
        config = self.config
        for index, features in enumerate((config.features, config.upsampled)):
            conv = Conv(4 * features, dtype=config.dtype, name=f"double{index}")
            x = leaky_relu(ops.pixel_shuffle(conv(x), 2))
        x = leaky_relu(Conv(config.upsampled, dtype=config.dtype, name="fine")(x))
        if config.residual:
            image = correction(config.dtype, "image")
        else:
            image = Conv(3, dtype=config.dtype, name="image")
        return image(x).astype(jnp.float32)


def _interleaved(known: Array, between: Array) -> Array:
    """known[0], between[0], known[1], ... along time."""
    pairs = jnp.stack([known[:, :-1], between], axis=2)
    pairs = pairs.reshape(known.shape[0], -1, *known.shape[2:])
    return jnp.concatenate([pairs, known[:, -1:]], axis=1)


def _gentle(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """A tenth of Kaiming's normal initialisation: residual blocks start close to the identity."""
    return 0.1 * math.sqrt(2 / math.prod(shape[:-1])) * jax.random.normal(key, shape, dtype)
