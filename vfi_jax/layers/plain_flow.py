"""Bidirectional flow from a feature pyramid, without dense connections."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Flow, Image
from vfi_jax.layers.conv import Conv, leaky_relu

RADIUS = 4  # radius of the cost volume, in pixels of its level (Sun et al. 2018, sec. 4)


class PlainFlow(nn.Module):
    """PWC-Net as in its paper, smaller than the authors' code: two convolutions per pyramid level,
    decoders without dense connections, only the flow passed to finer levels. It runs up to half
    resolution, has no context network, and its flows are in pixels.

    Attributes:
      features: channels of the feature pyramid, finest first; each level halves the resolution.
      decoder: channels of each level's decoder.
      dtype: type of the convolutions; flows stay float32.

    Source: Sun et al. 2018 (arXiv:1709.02371), as Niklaus and Liu 2020 (arXiv:2003.05534) use it;
    sniklaus/softmax-splatting run.py:82-235, issue #16.
    """

    features: Sequence[int]
    decoder: Sequence[int]
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, frames: Image) -> Flow:
        """Flow from each frame to the other.

        Args:
          frames: `[2 B, H, W, C]`, the first frames of B pairs, then the second frames.

        Returns:
          `[2 B, H, W, 2]` float32 pixels.
        """
        pyramid = [frames]
        for level, width in enumerate(self.features, start=1):
            x = pyramid[-1]
            for index, stride in enumerate((2, 1)):
                name = f"features{level}_conv{index}"
                x = leaky_relu(Conv(width, stride=stride, dtype=self.dtype, name=name)(x))
            pyramid.append(x)
        flow: Any = None
        for level in range(len(self.features), 0, -1):
            flow = self._decode(level, pyramid[level], flow)
        height, width = frames.shape[-3:-1]
        return resize_flow_by_width(flow, (height, width))

    def _decode(self, level, features, coarser):
        """The flow of one level from its features and the coarser level's flow."""
        others, flow = jnp.roll(features, len(features) // 2, axis=0), ()
        if coarser is not None:
            flow = (resize_flow_by_width(coarser, features.shape[-3:-1]),)
            others = ops.backward_warp(others, *flow)
        volume = ops.cost_volume(features, others, radius=RADIUS)
        inputs = (features, volume, *flow)
        x = jnp.concatenate([part.astype(self.dtype) for part in inputs], axis=-1)
        for index, width in enumerate(self.decoder):
            x = leaky_relu(Conv(width, dtype=self.dtype, name=f"decoder{level}_conv{index}")(x))
        # Initialised to no motion; the authors start from a trained network.
        zeros = nn.initializers.zeros
        head = Conv(2, kernel_init=zeros, bias_init=zeros, name=f"decoder{level}_flow")
        return head(x.astype(jnp.float32))


def resize_flow_by_width(flow: Flow, shape: tuple[int, int]) -> Flow:
    """Resizes a flow and multiplies both components by the ratio of the widths.

    If heights and widths round differently, y is slightly wrong. This is kept because the released
    weights were trained with it (sniklaus/softmax-splatting run.py:176, 229-230, 430-431). Compare
    `ops.resize_flow`.

    Args:
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      shape: (new height, new width).

    Returns:
      `[*B, *shape, 2]` float32.
    """
    return ops.resize_bilinear(flow, shape) * (shape[1] / flow.shape[-2])
