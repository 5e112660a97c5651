"""Features to match two frames by, at an eighth of their resolution: RAFT's encoder and its kin."""

from typing import Any

import flax.linen as nn

from vfi_jax.arrays import Image
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.norm import instance_norm

# Kaiming's normal distribution by the outputs, as RAFT's encoder starts.
INITIAL = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


class MatchingFeatures(nn.Module):
    """Features of images `[*B, H, W, 3]` at an eighth of their resolution.

    Every convolution but the last is followed by an instance norm without parameters and a ReLU.

    Attributes:
      stem: channels at half of the resolution.
      widths: channels of the groups of two residual blocks; the second and the third group halve.
      features: output channels.
      bottleneck: blocks are of three convolutions, of which the inner ones have a quarter of the
        channels, rather than of two.
      dtype: type of the convolutions.

    Source: Teed & Deng 2020 (RAFT), sec. 3.1; its published code's small and basic encoder.
    """

    stem: int
    widths: tuple[int, ...]
    features: int
    bottleneck: bool
    dtype: Any

    @nn.compact
    def __call__(self, images: Image) -> Image:
        x = images.reshape(-1, *images.shape[-3:])
        x = NormalisedConv(self.stem, 7, 2, self.dtype, name="stem")(x)
        x = nn.relu(x)
        for index, width in enumerate(self.widths):
            stride = 2 if index in (1, 2) else 1
            for block in range(2):
                name = f"group{index}_block{block}"
                x = NormalisedBlock(
                    width, 1 if block else stride, self.bottleneck, self.dtype, name=name
                )(x)
        x = Conv(self.features, 1, dtype=self.dtype, kernel_init=INITIAL, name="head")(x)
        return x.reshape(*images.shape[:-3], *x.shape[1:])


class NormalisedBlock(nn.Module):
    """relu(x + y), y being x after convolutions that each have an instance norm and a ReLU.

    Where y has another resolution or width, x goes through a 1x1 convolution and a norm.

    Attributes:
      features: output channels.
      stride: of the 3x3 convolution.
      bottleneck: as in `MatchingFeatures`.
      dtype: type of the convolutions.
    """

    features: int
    stride: int
    bottleneck: bool
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        y = x
        for index, (width, kernel, stride) in enumerate(self._convs()):
            # The last one has its ReLU before the sum too.
            y = nn.relu(NormalisedConv(width, kernel, stride, self.dtype, name=f"conv{index}")(y))
        if self.stride != 1 or x.shape[-1] != self.features:
            x = NormalisedConv(self.features, 1, self.stride, self.dtype, name="shortcut")(x)
        return nn.relu(x + y)

    def _convs(self):
        if self.bottleneck:
            inner = self.features // 4
            return (inner, 1, 1), (inner, 3, self.stride), (self.features, 1, 1)
        return (self.features, 3, self.stride), (self.features, 3, 1)


class NormalisedConv(nn.Module):
    """Convolution and an instance norm.

    Its bias changes nothing, as the norm takes every mean away, but is in published files.

    Attributes:
      features: output channels.
      kernel: height and width of the kernel, in pixels.
      stride: of both axes.
      dtype: type of the convolution.
    """

    features: int
    kernel: int
    stride: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        conv = Conv(
            self.features,
            self.kernel,
            self.stride,
            dtype=self.dtype,
            kernel_init=INITIAL,
            name="conv",
        )
        return instance_norm(conv(x))
