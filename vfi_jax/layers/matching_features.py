"""Matching features at 1/8 resolution: RAFT's encoder and variants of it."""

from typing import Any

import flax.linen as nn

from vfi_jax.arrays import Image
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.norm import instance_norm

# Kaiming normal with fan_out, the initialisation of RAFT's encoder.
INITIAL = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


class MatchingFeatures(nn.Module):
    """Features of images `[*B, H, W, 3]` at an eighth of their resolution.

    Every convolution except the last is followed by a parameter-free instance norm and a ReLU.

    Attributes:
      stem: channels at half resolution.
      widths: channels of the groups of two residual blocks; the second and third group halve the
        resolution.
      features: output channels.
      bottleneck: use blocks of three convolutions, the inner ones with a quarter of the channels,
        instead of two.
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
    """relu(x + y), where y is x after convolutions with instance norm and ReLU each.

    If y has another resolution or width, x passes through a 1x1 convolution and a norm.

    Attributes:
      features: output channels.
      stride: stride of the 3x3 convolution.
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
            # The last convolution also has a ReLU before the sum.
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

    The norm removes the mean, so the bias has no effect, but published files contain it.

    Attributes:
      features: output channels.
      kernel: height and width of the kernel, in pixels.
      stride: stride along both axes.
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
