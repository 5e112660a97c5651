"""Parts shared by networks that estimate intermediate flow (from time t to both inputs)."""

from typing import Any, NamedTuple

import flax.linen as nn

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv, PReLU, uniform_fan_in
from vfi_jax.layers.pairs import apart, size_of, warp_pair


class Estimate(NamedTuple):
    """A pyramid level's estimate for the intermediate frame.

    Attributes:
      flow: `[B, 2, H, W, 2]` pixels of this resolution, from the new frame to both inputs.
      logit: `[B, H, W, 1]`, logit of the weight of frame 0.
      warped: `[B, 2, H, W, 3]`, both frames warped by `flow`.
    """

    flow: Array
    logit: Array
    warped: Image

    @classmethod
    def of(cls, frames: Image, flow: Array, logit: Array) -> "Estimate":
        """The estimate with `frames` `[B, 2, H, W, 3]` warped by `flow`."""
        return cls(flow, logit, warp_pair(frames, flow))

    @property
    def blend(self) -> Image:
        """The blend of both warped frames `[B, H, W, 3]`, before any residual."""
        weight = nn.sigmoid(self.logit)
        return weight * self.warped[:, 0] + (1 - weight) * self.warped[:, 1]


class ConvPReLU(nn.Module):
    """Convolution and PReLU.

    Attributes:
      features: output channels.
      stride: stride along both axes.
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
    """The full-size estimate plus a block's step `[B, h, w, 5]` in pixels of its own size."""
    size = size_of(frames)
    flow = estimate.flow + ops.resize_flow(apart(step[..., :4]), size)
    return Estimate.of(frames, flow, estimate.logit + ops.resize_bilinear(step[..., 4:], size))


def at_size(frames: Image, estimate: Estimate) -> Estimate:
    """The estimate resized to the frames, if flow was estimated at another resolution."""
    size = size_of(frames)
    if size_of(estimate.flow) == size:
        return estimate
    flow, logit = ops.resize_flow(estimate.flow, size), ops.resize_bilinear(estimate.logit, size)
    return Estimate.of(frames, flow, logit)
