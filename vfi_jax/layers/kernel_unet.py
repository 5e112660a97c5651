"""U-Net of MEMC-Net and DAIN that estimates a filter or mask per pixel."""

import math
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv, max_pool, upsample
from vfi_jax.layers.norm import BatchNorm


class KernelUNet(nn.Module):
    """Encoder-decoder of 3x3 convolutions; skips are added directly after each upsampling.

    Stages 0 .. depth - 1 halve the resolution, stage `depth` is the coarsest, stages depth + 1 ..
    2 depth double it.

    Attributes:
      width: channels of the output.
      depth: number of halvings.
      doubled: use two convolutions instead of one in most stages.
      norms: stages with a batch normalisation after their last ReLU.
      align_corners: option of the bilinear upsampling.
      axis_name: mapped axis whose devices share batch statistics (pmap).
      dtype: type of the convolutions.

    Source: Bao et al. 2018 (MEMC-Net), sec. 3.3, as released.
    """

    width: int = 16
    depth: int = 5
    doubled: bool = False
    norms: tuple[int, ...] = ()
    align_corners: bool = False
    axis_name: str | None = None
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Image, *, train: bool = False) -> Image:
        skips: list[Image] = []
        for index, widths in enumerate(_stages(self.width, self.depth, self.doubled)):
            if index > self.depth:
                x = upsample(x, align_corners=self.align_corners) + skips.pop()
            for place, width in enumerate(widths):
                conv = Conv(width, dtype=self.dtype, name=f"stage{index}_conv{place}")
                x = nn.relu(conv(x))
            if index in self.norms:
                norm = BatchNorm(axis_name=self.axis_name, name=f"stage{index}_norm")
                x = norm(x, train=train)
            if index < self.depth:
                skips.append(x)
                x = max_pool(x)
        return x


class Head(nn.Module):
    """Two 3x3 convolutions from the U-Net's output to float32 maps.

    At initialisation the maps are constant. The authors' initialisation is unknown.

    Attributes:
      features: number of maps.
      dtype: type of the convolutions.
      bias_init: initialiser of the maps' constant value.
    """

    features: int
    dtype: Any = jnp.float32
    bias_init: Any = nn.initializers.zeros

    @nn.compact
    def __call__(self, x: Image) -> Array:
        x = nn.relu(Conv(x.shape[-1], dtype=self.dtype, name="conv0")(x))
        last = Conv(
            self.features,
            dtype=self.dtype,
            kernel_init=nn.initializers.zeros,
            bias_init=self.bias_init,
            name="conv1",
        )
        return last(x).astype(jnp.float32)


def bilinear(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """Filters for `ops.adaptive_warp` that sample bilinearly: the middle taps are 1, the rest 0.

    Training then starts from warped frames. From random filters, training must first learn to copy
    the frames.
    """
    side = math.isqrt(shape[0])
    middle = slice(side // 2 - 1, side // 2 + 1)
    return jnp.zeros((side, side), dtype).at[middle, middle].set(1).reshape(shape)


def _stages(width: int, depth: int, doubled: bool) -> list[tuple[int, ...]]:
    """Channels of the convolutions in every stage."""
    widths = [width * 2**level for level in range(depth + 1)]
    first, coarsest, last = widths[1], widths[-1], (width,)
    if not doubled:
        down = [(width, first), *((n,) for n in widths[2:])]
        return [*down, (coarsest,), *((n,) for n in widths[-2::-1])]
    down = [(first, first, first), *((n, n) for n in widths[2:])]
    up = [(n, n) for n in widths[-2:0:-1]]
    return [*down, (coarsest, coarsest, coarsest), *up, last]
