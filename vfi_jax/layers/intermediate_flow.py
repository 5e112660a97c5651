"""What networks share that estimate flow from a frame that does not exist to the two around it."""

from typing import Any, NamedTuple

import flax.linen as nn

from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv, PReLU
from vfi_jax.layers.pairs import warp_pair


class Estimate(NamedTuple):
    """What a level of a network knows of the frame between.

    Attributes:
      flow: `[B, 2, H, W, 2]` pixels of this resolution, from the new frame to each of the two.
      logit: `[B, H, W, 1]`, of the weight of frame 0.
      warped: `[B, 2, H, W, 3]`, both frames sampled where `flow` points.
    """

    flow: Array
    logit: Array
    warped: Image

    @classmethod
    def of(cls, frames: Image, flow: Array, logit: Array) -> "Estimate":
        """The estimate that samples `frames` `[B, 2, H, W, 3]`."""
        return cls(flow, logit, warp_pair(frames, flow))

    @property
    def blend(self) -> Image:
        """The new frame `[B, H, W, 3]` as far as sampling goes."""
        weight = nn.sigmoid(self.logit)
        return weight * self.warped[:, 0] + (1 - weight) * self.warped[:, 1]


class ConvPReLU(nn.Module):
    """Convolution and PReLU.

    Attributes:
      features: output channels.
      stride: of both axes.
      dtype: type of the convolution.
      kernel: height and width of the kernel, in pixels.
    """

    features: int
    stride: int
    dtype: Any
    kernel: int = 3

    @nn.compact
    def __call__(self, x: Image) -> Image:
        x = Conv(self.features, self.kernel, self.stride, dtype=self.dtype, name="conv")(x)
        return PReLU(name="prelu")(x)
