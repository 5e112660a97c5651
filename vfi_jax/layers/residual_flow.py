"""Practical-RIFE's network: coarse-to-fine blocks of residual convolutions."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.layers.conv import Conv, ConvTranspose, leaky_relu
from vfi_jax.layers.intermediate_flow import ConvPReLU
from vfi_jax.layers.pairs import apart, plane, shrunk, side_by_side, size_of, warp_pair
from vfi_jax.layers.scan import scan_shared

DEPTH = 8  # convolutions of a block's body
SLOPE = 0.2  # slope of every leaky ReLU


class ResidualFlow(nn.Module):
    """Intermediate flow to both input frames, and the blended frame.

    Attributes:
      channels: channels of each block, coarse to fine.
      scales: downscaling factor of each block's input.
      encoder: hidden channels, output channels and number of 3x3 convolutions of the frame encoder;
        None: blocks receive only the frames.
      handed: feature channels passed from block to block.
      accumulate: a block adds to the logit, as to the flow; otherwise it replaces it.
      body: type of a block's body. "scaled": each convolution is scaled and added to its input.
        "plain": plain convolutions. "prelu": plain convolutions with PReLU instead of leaky ReLU,
        and the whole body is added to its input.
      groups: groups of the body's convolutions.
      unread: additional unused output channels of a block.
      limit: pixels; if the second block changes both flows by more, the prediction is repeated at
        twice the scales. None: never.
      flow_scale: fraction of the resolution at which flow is estimated.
      dtype: type of the convolutions; parameters, flows and frames stay float32.

    Source: HolyWu/vs-rife, vsrife/IFNet_HDv3_v4_*.py, ports of the releases' own files.
    """

    channels: tuple[int, ...]
    scales: tuple[float, ...]
    encoder: tuple[int, int, int] | None = None
    handed: int = 0
    accumulate: bool = False
    body: str = "scaled"
    groups: int = 1
    unread: int = 0
    limit: float | None = None
    flow_scale: float = 1.0
    dtype: Any = jnp.float32

    def setup(self):
        if self.encoder:
            self.encode = Encoder(*self.encoder, self.dtype)
        features = 5 + self.handed + self.unread
        self.blocks = [
            Block(channels, features, self.body, self.groups, self.dtype)
            for channels in self.channels
        ]

    def __call__(self, frames: Frames, times: Times) -> dict:
        """Outputs of `models.practical_rife` for frames `[B, 2, H, W, 3]` and times `[B, T]`."""
        frames = jnp.clip(frames, 0, 1)
        pair = frames
        if self.encoder:
            pair = jnp.concatenate([frames, self.encode(frames)], axis=-1)
        first = self._shrunk(_joined(pair), self.scales[0])
        each_time = scan_shared(ResidualFlow._at, self, in_axes=(nn.broadcast, nn.broadcast, 1))
        return each_time(self, None, pair, first, times)[1]

    def _at(self, carry: None, pair: Image, first: Image, time: Array) -> tuple[None, dict]:
        """The prediction for one time `[B]`; a scan body."""
        found = self._chain(pair, first, time, self.scales)
        if self.limit and not self.is_initializing():
            step = found["flows"][1] - found["flows"][0]
            large = (jnp.abs(step).max((-3, -2, -1)) > self.limit).all(axis=-1)
            either = (ResidualFlow._repeated, ResidualFlow._as_found)
            found = nn.cond(large.any(), *either, self, found, large, pair, time)
        return carry, found

    def _repeated(self, found: dict, large: Array, pair: Image, time: Array) -> dict:
        """`found`, with the examples in mask `large` `[B]` predicted at twice the scales."""
        scales = tuple(2 * scale for scale in self.scales)
        first = self._shrunk(_joined(pair), scales[0])
        coarser = self._chain(pair, first, time, scales)

        def chosen(new, old):
            return jnp.where(jnp.expand_dims(large, range(1, old.ndim)), new, old)

        return jax.tree.map(chosen, coarser, found)

    def _as_found(self, found: dict, large: Array, pair: Image, time: Array) -> dict:
        return found

    def _chain(self, pair: Image, first: Image, time: Array, scales: Sequence[float]) -> dict:
        """The prediction of all blocks in sequence; `first` is the input of the first block."""
        size = size_of(pair)
        warped, flow = pair, jnp.zeros((*pair.shape[:-1], 2))
        state = jnp.zeros((*pair.shape[:1], *size, 1 + self.handed))  # logit, passed features
        inputs = [first, *plane(time, first)]
        flows: list[Array] = []
        logits: list[Array] = []
        blends: list[Image] = []
        for block, scale in zip(self.blocks, scales, strict=True):
            if flows:
                seen = [_joined(warped), *plane(time, state), state]
                small = self._shrunk(jnp.concatenate(seen, axis=-1), scale)
                inputs = [small, side_by_side(ops.resize_flow(flow, size_of(small)))]
            step = block(jnp.concatenate(inputs, axis=-1))
            flow = flow + ops.resize_flow(apart(step[..., :4]), size)
            update = ops.resize_bilinear(step[..., 4 : 5 + self.handed], size)
            state = state + update if self.accumulate else update
            warped = warp_pair(pair, flow)
            weight = nn.sigmoid(state[..., :1])
            flows.append(flow)
            logits.append(state[..., :1])
            blends.append(weight * warped[:, 0, ..., :3] + (1 - weight) * warped[:, 1, ..., :3])
        prediction = {"flows": tuple(flows), "logits": tuple(logits), "blends": tuple(blends)}
        return {"frames": blends[-1], **prediction}

    def _shrunk(self, x, scale):
        return shrunk(x, scale / self.flow_scale)


class Encoder(nn.Module):
    """Full-resolution features of each frame; `[B, 2, H, W, 3]` to `[.., features]`.

    Attributes:
      width: channels at half resolution.
      features: output channels.
      depth: convolutions at half resolution; a single one has no activation, as released.
      dtype: type of the convolutions.
    """

    width: int
    features: int
    depth: int
    dtype: Any

    @nn.compact
    def __call__(self, frames: Image) -> Image:
        x = frames.reshape(-1, *frames.shape[2:])
        for index in range(self.depth):
            stride = 1 if index else 2
            x = Conv(self.width, stride=stride, dtype=self.dtype, name=f"conv{index}")(x)
            x = leaky_relu(x, slope=SLOPE) if self.depth > 1 else x
        x = ConvTranspose(self.features, dtype=self.dtype, name="up")(x)
        return x.reshape(*frames.shape[:-1], self.features).astype(jnp.float32)


class Block(nn.Module):
    """Predicts a step of flow (4 channels), the logit and features for the next block.

    The output has the size of the input, or half of it unless the body is "scaled".

    Attributes:
      channels: channels of the body.
      features: channels of the predicted step.
      body: as in `Config`.
      groups: groups of the body's convolutions.
      dtype: type of the convolutions.
    """

    channels: int
    features: int
    body: str
    groups: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        for index, width in enumerate((self.channels // 2, self.channels)):
            x = self._activated(x, width, f"stem{index}", stride=2)
        stem = x
        for index in range(DEPTH):
            if self.body == "scaled":
                x = ScaledResidual(self.groups, self.dtype, name=f"body{index}")(x)
            else:
                x = self._activated(x, self.channels, f"body{index}", stride=1)
        if self.body == "scaled":
            x = ConvTranspose(4 * self.features, dtype=self.dtype, name="head")(x)
            return ops.pixel_shuffle(x, 2).astype(jnp.float32)
        x = x + stem if self.body == "prelu" else x
        return ConvTranspose(self.features, dtype=self.dtype, name="head")(x).astype(jnp.float32)

    def _activated(self, x, width, name, *, stride):
        if self.body == "prelu":
            return ConvPReLU(width, stride, self.dtype, name=name)(x)
        return leaky_relu(Conv(width, stride=stride, dtype=self.dtype, name=name)(x), slope=SLOPE)


class ScaledResidual(nn.Module):
    """leaky_relu(scale * conv(x) + x), with one learnt scale per channel.

    Attributes:
      groups: groups of the convolution.
      dtype: type of the convolution.

    Parameters: scale `[channels]`, and those of conv.
    """

    groups: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        channels = x.shape[-1]
        scale = self.param("scale", nn.initializers.ones, (channels,))
        moved = Conv(channels, groups=self.groups, dtype=self.dtype, name="conv")(x)
        return leaky_relu(scale.astype(self.dtype) * moved + x, slope=SLOPE)


def _joined(pair: Image) -> Image:
    """`[B, 2, H, W, 3 + C]` as both frames, then the features of both."""
    return jnp.concatenate([side_by_side(pair[..., :3]), side_by_side(pair[..., 3:])], axis=-1)
