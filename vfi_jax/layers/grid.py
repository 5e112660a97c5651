"""GridNet: rows of residual blocks at several resolutions with down and up connections."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax.arrays import Image
from vfi_jax.layers.conv import Conv, ConvTranspose, PReLU, upsample


class GridNet(nn.Module):
    """Row r runs at 1 / 2^r of the resolution; each column passes features down or up the rows.

    Upsampled features are cropped by one row or column for odd sizes, so that any size works.

    Attributes:
      widths: channels of each row, finest first.
      down: number of columns that pass features to coarser rows. They come first; the first column
        has no lateral blocks.
      up: number of columns that pass features to finer rows.
      dtype: type of the convolutions.
      use_bias: use biases in the blocks.
      one_slope: use one PReLU slope for all channels.
      transposed: upsample by a transposed convolution; otherwise bilinearly before the block.

    Source: Fourure et al. 2017 (arXiv:1707.07958); PReLU, no normalisation and bilinear upsampling
    as in Niklaus and Liu 2018 (arXiv:1803.10967).
    """

    widths: Sequence[int]
    down: int
    up: int
    dtype: Any = jnp.float32
    use_bias: bool = False
    one_slope: bool = False
    transposed: bool = False

    @nn.compact
    def __call__(self, inputs: Sequence[Image]) -> Image:
        """Output of the finest row of the last column.

        Args:
          inputs: `[B, ceil(H / 2^r), ceil(W / 2^r), widths[r]]` for the first rows, at least one.

        Returns:
          `[B, H, W, widths[0]]`.
        """
        rows: list[Any] = [*inputs, *[None] * (len(self.widths) - len(inputs))]
        for column in range(self.down + self.up):
            descends = column < self.down
            order = range(len(rows)) if descends else reversed(range(len(rows)))
            previous = None
            for row in order:
                x = rows[row]
                if column:
                    x += self._block(row, 1, f"lateral{row}_{column}")(x)
                if previous is not None:
                    step = self._down if descends else self._up
                    x = step(previous, x, row, column)
                rows[row] = previous = x
        return rows[0]

    def _down(self, finer, x, row, column):
        step = self._block(row, 2, f"down{row}_{column}")(finer)
        return step if x is None else x + step

    def _up(self, coarser, x, row, column):
        coarser = coarser if self.transposed else upsample(coarser)
        step = self._block(row, 1, f"up{row}_{column}", transposed=self.transposed)(coarser)
        return x + step[..., : x.shape[-3], : x.shape[-2], :]

    def _block(self, row, stride, name, **options):
        return PreactivatedBlock(
            self.widths[row],
            stride,
            self.dtype,
            self.use_bias,
            self.one_slope,
            name=name,
            **options,
        )


class PreactivatedBlock(nn.Module):
    """conv1(prelu1(conv0(prelu0(x)))), 3x3 convolutions.

    Attributes:
      features: output channels.
      stride: stride of the first convolution.
      dtype: type of the convolutions.
      use_bias: use biases in both convolutions.
      one_slope: use one PReLU slope for all channels.
      double: upsample bilinearly by 2 before the first convolution.
      transposed: the first convolution is a 4x4 transposed convolution that doubles the size.
    """

    features: int
    stride: int = 1
    dtype: Any = jnp.float32
    use_bias: bool = False
    one_slope: bool = False
    double: bool = False
    transposed: bool = False

    @nn.compact
    def __call__(self, x: Image) -> Image:
        x = self._activated(x, 0)
        x = upsample(x) if self.double else x
        x = self._first()(x)
        return self._conv(1, 1)(self._activated(x, 1))

    def _activated(self, x, index):
        return PReLU(shared=self.one_slope, name=f"prelu{index}")(x)

    def _first(self):
        if not self.transposed:
            return self._conv(self.stride, 0)
        return ConvTranspose(self.features, use_bias=self.use_bias, dtype=self.dtype, name="conv0")

    def _conv(self, stride, index):
        return Conv(
            self.features,
            stride=stride,
            use_bias=self.use_bias,
            dtype=self.dtype,
            name=f"conv{index}",
        )


class ProjectedBlock(nn.Module):
    """conv1(prelu(conv0(x))) + shortcut(x): 3x3 and 1x1 convolutions without bias.

    Attributes:
      hidden: channels between the 3x3 convolutions.
      features: output channels.
      dtype: type of the convolutions.
    """

    hidden: int
    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Image) -> Image:
        def conv(features, kernel, name):
            return Conv(features, kernel, use_bias=False, dtype=self.dtype, name=name)

        hidden = PReLU(name="prelu")(conv(self.hidden, 3, "conv0")(x))
        return conv(self.features, 3, "conv1")(hidden) + conv(self.features, 1, "shortcut")(x)
