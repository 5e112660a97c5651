"""RIFE's context and refinement networks, shared by several systems."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv, ConvTranspose, PReLU, uniform_fan_in
from vfi_jax.layers.intermediate_flow import ConvPReLU, Estimate
from vfi_jax.layers.pairs import side_by_side, size_of, warp_pair

LEVELS = 4  # halvings in each network


class Context(nn.Module):
    """Features of each frame of a pair, `[B, 2, h, w, C]`, finest first.

    Attributes:
      width: channels of the finest level.
      dtype: type of the convolutions.
      stride: stride of the first convolution.
    """

    width: int
    dtype: Any
    stride: int = 2

    @nn.compact
    def __call__(self, frames: Image) -> tuple[Image, ...]:
        x = frames.reshape(-1, *frames.shape[2:])
        features = []
        for level in range(LEVELS):
            stride = 2 if level else self.stride
            x = Halving(self.width * 2**level, stride, self.dtype, name=f"level{level}")(x)
            features.append(x.reshape(*frames.shape[:2], *x.shape[1:]))
        return tuple(features)


class Refinement(nn.Module):
    """U-Net that predicts a residual `[B, H, W, 3]` in (-1, 1) of the new frame.

    Attributes:
      width: half the channels of the finest level.
      dtype: type of the convolutions.
      stride: stride of the first convolution.
      shuffled: predict the residual by pixel shuffle from half resolution, initialised to zero.
      kernel_init: for all convolutions except transposed ones, as in `Conv`.
      bias_init: likewise, as in `Conv`.
    """

    width: int
    dtype: Any
    stride: int = 2
    shuffled: bool = False
    kernel_init: Any = uniform_fan_in
    bias_init: Any = None

    @nn.compact
    def __call__(self, frames: Image, estimate: Estimate, context: Sequence[Image]) -> Image:
        """The residual.

        Args:
          frames: `[B, 2, H, W, 3]`.
          estimate: flow and logit at the size of the frames.
          context: warped features `[B, 2, h, w, C]` per level of the U-Net, finest first; an
            additional first entry has the size of the frames.
        """
        pairs = [side_by_side(pair) for pair in (frames, estimate.warped, estimate.flow)]
        known = [side_by_side(features) for features in context]
        x = jnp.concatenate([*pairs[:2], estimate.logit, pairs[2], *known[:-LEVELS]], axis=-1)
        skips = []
        for level, features in enumerate(known[-LEVELS:]):
            x = self._halved(level, x)
            skips.append(x)
            x = jnp.concatenate([x, features], axis=-1)
        skips.pop()
        for level in range(LEVELS - 1):
            x = self._doubled(self.width * 2 ** (LEVELS - 1 - level), f"up{level}", x)
            x = jnp.concatenate([x, skips.pop()], axis=-1)
        return 2 * nn.sigmoid(self._head(x).astype(jnp.float32)) - 1

    def _halved(self, level: int, x: Image) -> Image:
        halve = Halving(
            2 * self.width * 2**level,
            2 if level else self.stride,
            self.dtype,
            self.kernel_init,
            self.bias_init,
            name=f"down{level}",
        )
        return halve(x)

    def _head(self, x: Image) -> Image:
        if self.shuffled:
            zeros = nn.initializers.zeros
            head = Conv(12, dtype=self.dtype, kernel_init=zeros, bias_init=zeros, name="head")
            return ops.pixel_shuffle(head(x), 2)
        x = self._doubled(self.width, f"up{LEVELS - 1}", x)
        # Without a stride in the first convolution the resolution is twice as high.
        head = Conv(
            3,
            stride=2 // self.stride,
            dtype=self.dtype,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            name="head",
        )
        return head(x)

    def _doubled(self, features: int, name: str, x: Image) -> Image:
        x = ConvTranspose(features, dtype=self.dtype, name=name)(x)
        return PReLU(name=f"{name}_prelu")(x)


def warped(context: Sequence[Image], flow: Array) -> list[Image]:
    """The pair's features `[B, 2, h, w, C]` of every level, warped by the flow."""
    out = []
    for features in context:
        # Halved level by level: one direct bilinear resize would be a different filter.
        flow = ops.resize_flow(flow, size_of(features))
        out.append(warp_pair(features, flow))
    return out


class Halving(nn.Module):
    """Two convolutions, the first with a stride.

    Attributes:
      features: output channels.
      stride: stride along both axes.
      dtype: type of the convolutions.
      kernel_init: as in `Conv`.
      bias_init: as in `Conv`.
    """

    features: int
    stride: int
    dtype: Any
    kernel_init: Any = uniform_fan_in
    bias_init: Any = None

    @nn.compact
    def __call__(self, x: Image) -> Image:
        for index, stride in enumerate((self.stride, 1)):
            conv = ConvPReLU(
                self.features,
                stride,
                self.dtype,
                kernel_init=self.kernel_init,
                bias_init=self.bias_init,
                name=f"conv{index}",
            )
            x = conv(x)
        return x
