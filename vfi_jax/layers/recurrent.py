"""Convolutional LSTMs over the frames of a clip, as a scan over time."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.deformable import FeaturePyramid, MutualAlignment
from vfi_jax.layers.scan import scan_shared


class ConvLSTMCell(nn.Module):
    """One step of a convolutional LSTM.

    i, f, o, g = conv([x, hidden]);  cell' = sigmoid(f) cell + sigmoid(i) tanh(g);
    hidden' = sigmoid(o) tanh(cell')

    Attributes:
      features: channels of hidden and cell state.
      dtype: type of the convolution; states are float32.

    Source: Shi et al. 2015 (arXiv:1506.04214), without peepholes.
    """

    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Image, hidden: Image, cell: Image) -> tuple[Image, Image]:
        """(hidden', cell') from `[B, H, W, C]` arrays."""
        conv = Conv(4 * self.features, dtype=self.dtype, name="gates")
        gates = conv(jnp.concatenate([x, hidden], axis=-1)).astype(jnp.float32)
        i, f, o, g = jnp.split(gates, 4, axis=-1)
        cell = nn.sigmoid(f) * cell + nn.sigmoid(i) * jnp.tanh(g)
        return nn.sigmoid(o) * jnp.tanh(cell), cell


class DeformableConvLSTM(nn.Module):
    """ConvLSTM over a clip that first aligns its states to the current frame.

    Attributes:
      groups: groups of the deformable convolutions.
      dtype: type of the convolutions; states are float32.

    Source: Xiang et al. 2020 (arXiv:2002.11616), sec. 3.2.
    """

    groups: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, clip: Array) -> Array:
        """Hidden states `[B, T, H, W, C]` of features `[B, T, H, W, C]`."""
        over_time = scan_shared(_AlignedStep, self)
        states = (jnp.zeros_like(clip[:, 0], jnp.float32),) * 2
        return over_time(self.groups, self.dtype, name="step")(states, clip)[1]


class BidirectionalLSTM(nn.Module):
    """Features of each frame from all earlier and all later frames.

    One LSTM processes the clip in both directions, as a batch of two clips.

    Attributes:
      groups: groups of the deformable convolutions.
      dtype: type of the convolutions.
    """

    groups: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, clip: Array) -> Array:
        """`[B, T, H, W, C]` to the same shape."""
        both = jnp.concatenate([clip, clip[:, ::-1]])
        lstm = DeformableConvLSTM(self.groups, self.dtype, name="lstm")
        past, future = jnp.split(lstm(both), 2)
        states = jnp.concatenate([past, future[:, ::-1]], axis=-1)
        frames = states.reshape(-1, *states.shape[2:])
        fused = Conv(clip.shape[-1], 1, dtype=self.dtype, name="fusion")(frames)
        return fused.reshape(clip.shape)


class _AlignedStep(nn.Module):
    groups: int
    dtype: Any

    @nn.compact
    def __call__(self, states, x):
        # Zero states are aligned too: biases make the result nonzero.
        hidden, cell = (
            AlignedState(self.groups, self.dtype, name=name)(x, state)
            for name, state in zip(("hidden", "cell"), states, strict=True)
        )
        hidden, cell = ConvLSTMCell(x.shape[-1], self.dtype, name="lstm")(x, hidden, cell)
        return (hidden, cell), hidden


class AlignedState(nn.Module):
    """A state `[B, H, W, C]` aligned to, and fused with, features `[B, H, W, C]`.

    Attributes:
      groups: groups of the deformable convolutions.
      dtype: type of the convolutions.
    """

    groups: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image, state: Image) -> Image:
        pyramid = FeaturePyramid(self.dtype, name="pyramid")
        align = MutualAlignment(self.groups, self.dtype, name="align")
        return align(pyramid(x), pyramid(state))
