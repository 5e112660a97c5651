"""Deformable convolution guided by features, and the pyramid that aligns frames with it."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Image
from vfi_jax.layers.conv import Conv, leaky_relu, uniform_fan_in, upsample

ZEROS = nn.initializers.zeros

# Under jit, calls with equal shapes are traced once; one alignment makes six of them.
_deformable_conv = jax.jit(ops.deformable_conv, static_argnames=("groups",))


class DeformableConv(nn.Module):
    """Modulated deformable 3x3 convolution whose offsets and masks come from other features.

    Attributes:
      features: output channels.
      groups: number of input channel groups, each with its own offsets and masks.
      dtype: type of the convolution of the guide; sampling and the sum over taps are float32.

    Parameters: kernel `[3, 3, in, features]`, bias `[features]`, and offset_mask, a 3x3 convolution
    to the offsets of all groups (y, x of each tap) followed by the logits of their masks. It is
    initialised to zero, which gives half of an ordinary convolution.

    Source: Zhu et al. 2019 (arXiv:1811.11168); separate guide: Wang et al. 2019 (EDVR).
    """

    features: int
    groups: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Image, guide: Image) -> Image:
        taps = 9 * self.groups
        predict = Conv(
            3 * taps, dtype=self.dtype, kernel_init=ZEROS, bias_init=ZEROS, name="offset_mask"
        )
        field = predict(guide).astype(jnp.float32)
        kernel = self.param("kernel", uniform_fan_in, (3, 3, x.shape[-1], self.features))
        bias = self.param("bias", ZEROS, (self.features,))
        return _deformable_conv(
            x,
            field[..., : 2 * taps],
            nn.sigmoid(field[..., 2 * taps :]),
            kernel,
            bias,
            groups=self.groups,
        )


class FeaturePyramid(nn.Module):
    """Features at full, half and quarter resolution, finest first; the finest are the input.

    Attributes:
      dtype: type of the convolutions.
    """

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Image) -> tuple[Image, Image, Image]:
        levels = [x]
        for level in (1, 2):
            for index, stride in enumerate((2, 1)):
                name = f"level{level}_conv{index}"
                conv = Conv(x.shape[-1], stride=stride, dtype=self.dtype, name=name)
                x = leaky_relu(conv(x))
            levels.append(x)
        return levels[0], levels[1], levels[2]


class PyramidAlignment(nn.Module):
    """Aligns features to other features, coarse to fine (PCD without the cascade).

    Each level predicts offsets from both features and the doubled coarser offsets. Its aligned
    features are merged with those of the coarser level.

    Attributes:
      groups: groups of the deformable convolutions.
      dtype: type of the convolutions.

    Source: Wang et al. 2019 (EDVR, arXiv:1905.02716), sec. 3.2; Xiang et al. 2020.
    """

    groups: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, moving: Sequence[Image], other: Sequence[Image]) -> Image:
        """`moving` aligned, from two pyramids of `[B, h, w, C]`, finest first."""
        coarsest = len(moving) - 1
        offset = aligned = moving[coarsest]  # unused initial values, replaced on the coarsest level
        for level in range(coarsest, -1, -1):
            name, channels = f"level{level}", moving[level].shape[-1]
            pair = jnp.concatenate([moving[level], other[level]], axis=-1)
            seen = self._conv(channels, f"{name}_offset0", pair)
            if level < coarsest:
                coarser = 2 * upsample(offset)  # offsets are in pixels of their level
                seen = jnp.concatenate([seen, coarser.astype(seen.dtype)], axis=-1)
            offset = self._conv(channels, f"{name}_offset1", seen)
            if level < coarsest:
                offset = self._conv(channels, f"{name}_offset2", offset)
            moved = DeformableConv(channels, self.groups, self.dtype, name=f"{name}_deform")
            fine = moved(moving[level], offset)
            if level == coarsest:
                aligned = leaky_relu(fine)
                continue
            merged = jnp.concatenate([fine, upsample(aligned).astype(fine.dtype)], axis=-1)
            merge = Conv(channels, dtype=self.dtype, name=f"{name}_merge")
            aligned = leaky_relu(merge(merged)) if level else merge(merged)
        return aligned

    def _conv(self, features, name, x):
        return leaky_relu(Conv(features, dtype=self.dtype, name=name)(x))


class MutualAlignment(nn.Module):
    """Aligns two pyramids to each other and fuses them into features of the frame in between.

    Attributes:
      groups: groups of the deformable convolutions.
      dtype: type of the convolutions.
    """

    groups: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, first: Sequence[Image], second: Sequence[Image]) -> Image:
        both = jnp.concatenate(
            [
                PyramidAlignment(self.groups, self.dtype, name="first")(first, second),
                PyramidAlignment(self.groups, self.dtype, name="second")(second, first),
            ],
            axis=-1,
        )
        return Conv(first[0].shape[-1], 1, dtype=self.dtype, name="fusion")(both)
