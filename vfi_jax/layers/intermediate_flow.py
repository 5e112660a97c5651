"""What networks share that estimate flow from a frame that does not exist to the two around it."""

from typing import Any, NamedTuple

import flax.linen as nn

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv, PReLU, uniform_fan_in
from vfi_jax.layers.pairs import apart, size_of, warp_pair


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
      kernel_init: as in `Conv`.
      bias_init: as in `Conv`.
    """

    features: int
    stride: int
    dtype: Any
    kernel: int = 3
    kernel_init: Any = uniform_fan_in
    bias_init: Any = None

    @nn.compact
    def __call__(self, x: Image) -> Image:
        conv = Conv(
            self.features,
            self.kernel,
            self.stride,
            dtype=self.dtype,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            name="conv",
        )
        return PReLU(name="prelu")(conv(x))


def advance(frames: Image, estimate: Estimate, step: Image) -> Estimate:
    """The estimate at full size after a block's step `[B, h, w, 5]` in pixels of its own size."""
    size = size_of(frames)
    flow = estimate.flow + ops.resize_flow(apart(step[..., :4]), size)
    return Estimate.of(frames, flow, estimate.logit + ops.resize_bilinear(step[..., 4:], size))


def at_size(frames: Image, estimate: Estimate) -> Estimate:
    """The estimate where flow was estimated at another resolution than the frames'."""
    size = size_of(frames)
    if size_of(estimate.flow) == size:
        return estimate
    flow, logit = ops.resize_flow(estimate.flow, size), ops.resize_bilinear(estimate.logit, size)
    return Estimate.of(frames, flow, logit)
