"""Deep Voxel Flow: a new frame sampled from both frames along one flow."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Flow, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, average_pool, max_pool
from vfi_jax.layers.norm import BatchNorm
from vfi_jax.layers.precision import precision
from vfi_jax.layers.system import system

DEPTH = 3  # number of poolings in the encoder-decoder


@dataclasses.dataclass(frozen=True)
class Config:
    """Deep Voxel Flow.

    Attributes:
      extrapolate: predict the frame after the second (time 2) instead of the middle one (time 0.5).
      scales: number of resolutions that predict a flow, each half of the previous one.
      widths: channels of the encoder's levels, finest first; the decoder mirrors them.
      unit: pixels per unit of motion; 0: grid units, half the image's width and height, as
        published, which suit images of the training size.
      align_corners: conversion of grid units to pixels: True as in the training of the weights
        (PyTorch 0.4 and the original TensorFlow code), False as the published code behaves on
        PyTorch >= 1.3.
      momentum: weight of a new batch in the running statistics (PyTorch's convention). The
        published code passes 0.9997, TensorFlow's decay, and thus keeps almost only the last batch.
      axis_name: mapped axis whose devices share batch statistics (pmap).
      dtype: type of the convolutions; parameters, statistics and flows stay float32.
      precision: precision of the convolutions, see `layers.precision`.
    """

    extrapolate: bool = False
    scales: int = 1
    widths: tuple[int, int, int] = (64, 128, 256)
    unit: float = 0.0
    align_corners: bool = True
    momentum: float = 0.1
    axis_name: str | None = None
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {
    "extrapolation": Config(extrapolate=True),
    "multiscale": Config(scales=3),
    "small": Config(widths=(16, 32, 64), unit=48.0),
}


class Model(nn.Module):
    """Deep Voxel Flow. Liu et al., ICCV 2017 (arXiv:1702.02463).

    frame_t(p) = mask frame0(p - flow) + (1 - mask) frame1(p + flow)

    or with frame0(p - 2 flow) and frame1(p - flow) for extrapolation. The output contains "motion",
    the flow in grid units (half the image's width and height) or in units of `Config.unit`, at most
    0.5; "mask", the weight of frame 0; and "flow_t0" and "flow_t1", the flows to both frames in
    pixels.

    With several scales, the coarser networks take downscaled frames. Their upsampled motions are
    fused with the finest network's features by a convolution, and the finest network's last layer
    predicts the flow used for sampling. The paper specifies this (sec. 3.3: only the spatial
    components are kept). Inferred: separate weights per scale, downscaling by averaging, and one
    3x3 convolution for fusion.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        time = 2.0 if self.config.extrapolate else 0.5
        multiple = 2 ** (DEPTH + self.config.scales - 1)
        return Contract(frames=2, times=(time,), multiple=multiple)

    @system
    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        frame0, frame1 = frames[:, 0], frames[:, 1]
        with precision(self.config.precision):
            motion, mask = self._voxel_flow(frame0, frame1, train)
        # Sampling is linear, so the frames need no normalisation here.
        before, after = (-2.0, -1.0) if self.config.extrapolate else (-1.0, 1.0)
        flow_t0, flow_t1 = self._pixels(before * motion), self._pixels(after * motion)
        frame_t = ops.voxel_warp(frame0, frame1, flow_t0, flow_t1, mask)
        at_time = {"frames": frame_t, "flow_t0": flow_t0, "flow_t1": flow_t1}
        shared = {"motion": motion, "mask": mask}
        return {**{name: value[:, None] for name, value in at_time.items()}, **shared}

    def _voxel_flow(self, frame0, frame1, train):
        """Motion `[B, H, W, 2]` and the weight of frame 0 `[B, H, W, 1]`."""
        # The published weights expect BGR in [-1, 1].
        pyramid = [2 * jnp.concatenate([frame0[..., ::-1], frame1[..., ::-1]], axis=-1) - 1]
        for _ in range(self.config.scales - 1):
            pyramid.append(average_pool(pyramid[-1]))
        coarse = []
        for level in range(self.config.scales - 1, 0, -1):
            network = EncoderDecoder(self.config, name=f"scale{level}")
            field = network(pyramid[level], train=train)[..., :2]
            coarse.append(ops.resize_bilinear(field, frame0.shape[-3:-1]))
        field = EncoderDecoder(self.config, name="scale0")(pyramid[0], coarse, train=train)
        return 0.5 * field[..., :2], 0.5 * (1 + field[..., 2:])

    def _pixels(self, motion: Flow) -> Flow:
        """Converts motion to pixels; in grid units -1 and 1 are the image's edges."""
        if self.config.unit:
            return self.config.unit * motion
        height, width = motion.shape[-3:-1]
        size = jnp.array([width, height], jnp.float32)
        if self.config.align_corners:
            return motion * (size - 1) / 2
        # The sampler maps -1 and 1 half a pixel outside, so zero motion does not sample at p.
        y, x = jnp.mgrid[:height, :width]
        drift = jnp.stack([x, y], axis=-1) / (size - 1) - 0.5
        return motion * size / 2 + drift


class EncoderDecoder(nn.Module):
    """Motion and mask as `[B, H, W, 3]` in (-1, 1), float32, from a pair of frames."""

    config: Config

    @nn.compact
    def __call__(self, x: Image, coarse: Sequence[Image] = (), *, train: bool) -> Array:
        fine, middle, deep = self.config.widths
        skips = {}
        for level, (width, kernel) in enumerate(((fine, 5), (middle, 5), (deep, 3)), start=1):
            x = skips[level] = self._block(width, kernel, f"conv{level}", x, train)
            x = max_pool(x)
        x = self._block(deep, 3, "bottleneck", x, train)
        for step, (width, kernel) in enumerate(((deep, 3), (middle, 5), (fine, 5)), start=1):
            skip = skips[DEPTH + 1 - step]
            x = jnp.concatenate([ops.resize_bilinear(x, skip.shape[-3:-1]), skip], axis=-1)
            x = self._block(width, kernel, f"deconv{step}", x, train)
        if coarse:
            x = jnp.concatenate([x, *coarse], axis=-1)
            x = self._block(fine, 3, "fuse", x, train)
        x = Conv(3, 5, dtype=self.config.dtype, name="conv4")(x)
        return jnp.tanh(x.astype(jnp.float32))

    def _block(self, features, kernel, name, x, train):
        return ConvNorm(features, kernel, self.config, name=name)(x, train=train)


class ConvNorm(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    features: int
    kernel: int
    config: Config

    @nn.compact
    def __call__(self, x: Image, *, train: bool) -> Image:
        config = self.config
        x = Conv(self.features, self.kernel, use_bias=False, dtype=config.dtype, name="conv")(x)
        norm = BatchNorm(momentum=config.momentum, axis_name=config.axis_name, name="norm")
        return nn.relu(norm(x, train=train))
