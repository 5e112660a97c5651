"""Shared pyramid: intermediate flow from two light blocks shared by all scales."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, average_pool, leaky_relu
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.intermediate_flow import Estimate, at_size
from vfi_jax.layers.lucas_kanade import displacement
from vfi_jax.layers.pairs import (
    apart,
    clamp,
    plane,
    shrunk,
    side_by_side,
    size_of,
    warp_pair,
)
from vfi_jax.layers.precision import precision
from vfi_jax.layers.refinement import Context, Refinement, warped
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

ZEROS = nn.initializers.zeros
SLOPE = 0.2  # slope of the leaky ReLUs of `SharedFlow`
AT_A_FRAME = 0.01  # minimum distance of a time to 0 and 1 in the logit, which is infinite there
# Tuned on the output of an untrained `SharedFlow` on real clips.
SHARPNESS = 30.0  # factor in the softmax over similarities in -1 .. 1
FAINT = 1e-3  # mean square of features regarded as textureless


@dataclasses.dataclass(frozen=True)
class Config:
    """The network formerly named `rife/small`.

    Attributes:
      channels: channels of the two shared blocks.
      scales: downscaling factor of each pass, coarse to fine; powers of two.
      coarse: number of `scales` that use the first of the two blocks.
      depth: number of convolutions of a block's body.
      width: channels of the finest level of the context and refinement networks.
      flow_scale: fraction of the resolution at which flow is estimated, such as 0.5 for 4K with
        large motion; the same weights work for all.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is not one of 0.25, 0.5, 1, 2, 4, or `coarse` exceeds the number of
        scales.
    """

    channels: int = 48
    scales: tuple[float, ...] = (8, 8, 4, 4, 2, 2, 1)
    coarse: int = 4
    depth: int = 4
    width: int = 8
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale)
        if not 0 <= self.coarse <= len(self.scales):
            raise ValueError(
                f"coarse must be 0 to the number of scales, {len(self.scales)}, got {self.coarse}"
            )


VARIANTS: dict[str, Config] = {}


class Model(nn.Module):
    """Intermediate flow by two blocks shared by all scales, and a residual. No paper.

    frame_t = clamp(m frame0(p + flow_t0) + (1 - m) frame1(p + flow_t1) + residual, 0, 1)

    Features and context are computed once for all times; the rest runs in a scan over them.

    The output contains, in block order and for every time, "flows" `[B, T, 2, h, w, 2]`,
    "blends" `[B, T, h, w, 3]` and "logits" `[B, T, h, w, 1]` of non-decreasing size, the last three
    at full size; and "residual".
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        multiple = multiple_at(self.config.flow_scale, 32)
        return Contract(frames=2, times=None, multiple=multiple, flows=True)

    def setup(self):
        config = self.config
        scales = tuple(scale / config.flow_scale for scale in config.scales)
        self.flow = SharedFlow(config.channels, scales, config.coarse, config.depth, config.dtype)
        self.context = Context(config.width, config.dtype)
        self.refine = Refinement(config.width, config.dtype, shuffled=True)

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            frames = frames[..., ::-1]  # the weights expect BGR
            fixed = (frames, self.flow.prepare(frames), self.context(frames))
            each_time = scan_shared(Model._at, self, in_axes=(nn.broadcast, 1))
            return each_time(self, None, fixed, times)[1]

    def _at(self, carry: None, fixed: tuple, time: Array) -> tuple[None, dict]:
        """The prediction for one time `[B]`; a scan body."""
        frames, prepared, context = fixed
        estimates = self.flow(frames, prepared, time)
        finest = estimates[-1]
        residual = self.refine(frames, finest, warped(context, finest.flow))
        return carry, {
            "frames": clamp(finest.blend + residual)[..., ::-1],
            "flows": tuple(estimate.flow for estimate in estimates),
            "blends": tuple(estimate.blend[..., ::-1] for estimate in estimates),
            "logits": tuple(estimate.logit for estimate in estimates),
            "residual": residual[..., ::-1],
        }


class SharedFlow(nn.Module):
    """Two blocks shared by all scales, on warped features and their correlation.

    Every scale trains the same few weights. Coarse scales have a separate block: they find large
    motion, finer scales only refine it. A scale may run more than once. The network estimates
    motion over the whole interval; the flow to frame 0 is t times that motion, the flow to frame 1
    is 1 - t times it, so a new frame approaches its neighbours as its time does. The logit starts
    at log((1 - t) / t). An increment of motion is the best-matching displacement, weighted by a
    predicted confidence, plus a regressed part that is initialised to zero. Matching already works
    with random features of local contrast; regressing flow from scratch takes long to start
    learning.

    A separate lighter block then runs on half-resolution features (the shared blocks use quarter
    resolution); it costs a sixth of another shared pass. The last steps use no features, only the
    warped pixels and the remaining displacement between them.

    Attributes:
      channels: channels of each block.
      scales: downscaling factor of each pass, coarse to fine; powers of two.
      coarse: number of passes that use the block of the coarse scales.
      depth: number of convolutions of a block's body.
      features: channels of the frames' features at half and quarter resolution.
      carried: feature channels passed from scale to scale.
      radius: radius of the correlation, in pixels of the features at 1/4 of a scale's frames.
      fine: channels, convolutions and radius of the block at half resolution, which passes no
        features on.
      last: channels and convolutions of each last step.
      last_steps: number of last steps.
      dtype: type of the convolutions.

    Source: intermediate flow is RIFE's, sharing over a pyramid UPR-Net's (Jin et al. 2023,
    arXiv:2211.03456), correlation of warped features PWC-Net's, its softmax GMFlow's (Xu et al.
    2022, arXiv:2111.13680), the initial displacement of the last steps Lucas and Kanade's.
    """

    channels: int
    scales: Sequence[float]
    coarse: int
    depth: int
    dtype: Any
    features: tuple[int, int] = (16, 32)
    carried: int = 8
    radius: int = 3
    fine: tuple[int, int, int] = (16, 1, 2)
    last: tuple[int, int] = (16, 1)
    last_steps: int = 2

    def setup(self):
        self.encoder = _Encoder(self.features, self.dtype)
        self.coarse_block, self.block = (
            _Step(self.channels, self.depth, self.carried, self.radius, self.dtype)
            for _ in range(2)
        )
        channels, depth, radius = self.fine
        self.fine_block = _Step(channels, depth, 0, radius, self.dtype)
        self.last_blocks = [_PixelStep(*self.last, self.dtype) for _ in range(self.last_steps)]

    def prepare(self, frames: Image) -> list[tuple[Image, Image]]:
        """Time-independent inputs of every step: features, and the pair at the estimate's size."""
        sizes = dict.fromkeys([*self.scales, *(2 * scale for scale in self.scales)])
        pairs = {scale: _pooled(frames, scale) for scale in sizes}
        features = {scale: self.encoder(pairs[scale]) for scale in dict.fromkeys(self.scales)}
        passes = [(features[scale][1], pairs[2 * scale]) for scale in self.scales]
        finest = self.scales[-1]
        return [*passes, (features[finest][0], pairs[finest])]

    def __call__(
        self, frames: Image, prepared: list[tuple[Image, Image]], time: Array
    ) -> list[Estimate]:
        """Estimates at twice the features' size, those of the last steps at the finest size; the
        last one is resized to the frames. `time` is `[B]`."""
        share = jnp.stack([time, 1 - time], axis=1)[..., None, None, None]
        inside = jnp.clip(time, AT_A_FRAME, 1 - AT_A_FRAME)
        prior = jnp.log((1 - inside) / inside)[:, None, None, None]
        coarsest = prepared[0][0]
        motion = jnp.zeros((*coarsest.shape[:-1], 2))
        state = jnp.zeros((*coarsest[:, 0, ..., 0].shape, 1 + self.carried))
        estimates = []
        blocks = [self.coarse_block] * self.coarse
        blocks += [self.block] * (len(self.scales) - self.coarse) + [self.fine_block]
        for block, (features, pair) in zip(blocks, prepared, strict=True):
            size = size_of(features)  # half the estimate's size if a scale runs again
            moved, known = ops.resize_flow(motion, size), ops.resize_bilinear(state, size)
            warped = warp_pair(features, share * moved)
            step = block(warped, moved, known, time)
            size = size_of(pair)
            motion = ops.resize_flow(motion, size) + apart(step[..., :4])
            state = ops.resize_bilinear(state, size)[..., : step.shape[-1] - 4] + step[..., 4:]
            estimates.append(Estimate.of(pair, share * motion, prior + state[..., :1]))
        for block in self.last_blocks:
            step = block(estimates[-1], motion, time)
            motion = motion + apart(step[..., :4])
            estimates.append(Estimate.of(pair, share * motion, estimates[-1].logit + step[..., 4:]))
        return [*estimates[:-1], at_size(frames, estimates[-1])]


class _Encoder(nn.Module):
    """Features of a pair's local contrast, `[B, 2, h, w, C]` at half and at quarter resolution,
    of about unit power.

    Without mean brightness, bias or one-sided activations, the features of different pixels have no
    common component.
    """

    features: tuple[int, int]
    dtype: Any

    @nn.compact
    def __call__(self, frames: Image) -> tuple[Image, Image]:
        half, quarter = self.features
        x = frames.reshape(-1, *frames.shape[2:])
        x = x - ops.resize_bilinear(_pooled(x, 4), size_of(x))
        x = jnp.tanh(self._conv(half, 2, "conv0", x))
        finer = self._conv(half, 1, "conv1", x)
        x = jnp.tanh(self._conv(quarter, 2, "conv2", jnp.tanh(finer)))
        coarser = self._conv(quarter, 1, "conv3", x)
        pairs = (_of_unit_power(features) for features in (finer, coarser))
        fine, coarse = (pair.reshape(*frames.shape[:2], *pair.shape[1:]) for pair in pairs)
        return fine, coarse

    def _conv(self, features, stride, name, x):
        conv = Conv(
            features,
            stride=stride,
            dtype=self.dtype,
            kernel_init=nn.initializers.he_normal(),
            bias_init=ZEROS,
            name=name,
        )
        return conv(x)


class _Step(nn.Module):
    """Predicts increments of motion (4 channels), logit and passed features, upsampled by 2."""

    channels: int
    depth: int
    carried: int
    radius: int
    dtype: Any

    @nn.compact
    def __call__(self, warped: Image, motion: Array, state: Image, time: Array) -> Image:
        similar = ops.cost_volume(warped[:, 0], warped[:, 1], radius=self.radius)
        sharpness = SHARPNESS * jnp.exp(self.param("sharpness", ZEROS, ()))
        match = nn.softmax(sharpness * similar) @ _displacements(self.radius)
        inputs = [side_by_side(warped), similar, match, side_by_side(motion), state]
        x = jnp.concatenate([*inputs, *plane(time, state)], axis=-1)
        x = leaky_relu(Conv(self.channels, dtype=self.dtype, name="stem")(x), slope=SLOPE)
        for index in range(self.depth):
            conv = Conv(self.channels, dtype=self.dtype, name=f"body{index}")
            x = leaky_relu(conv(x) + x, slope=SLOPE)
        features = 4 * (6 + self.carried)
        head = Conv(features, dtype=self.dtype, kernel_init=ZEROS, bias_init=ZEROS, name="head")
        step = ops.pixel_shuffle(head(x), 2).astype(jnp.float32)
        return _towards(match, step)


class _PixelStep(nn.Module):
    """Predicts increments of motion (4 channels) and logit at the size of the current estimate.

    2x2 pixels become channels at half resolution, so every pixel is used at a quarter of the cost.
    The increment starts from the remaining displacement between the warped frames, weighted by a
    confidence and without gradient.
    """

    channels: int
    depth: int
    dtype: Any

    @nn.compact
    def __call__(self, estimate: Estimate, motion: Array, time: Array) -> Image:
        seen = [side_by_side(estimate.warped), side_by_side(motion), estimate.logit]
        x = ops.pixel_unshuffle(jnp.concatenate(seen, axis=-1), 2)
        halved = lax.stop_gradient(average_pool(estimate.warped))
        left = displacement(halved[:, 0], halved[:, 1])
        x = jnp.concatenate([x, left, *plane(time, x)], axis=-1)
        x = leaky_relu(Conv(self.channels, dtype=self.dtype, name="stem")(x), slope=SLOPE)
        for index in range(self.depth):
            conv = Conv(self.channels, dtype=self.dtype, name=f"body{index}")
            x = leaky_relu(conv(x) + x, slope=SLOPE)
        head = Conv(4 * 6, dtype=self.dtype, kernel_init=ZEROS, bias_init=ZEROS, name="head")
        step = ops.pixel_shuffle(head(x), 2).astype(jnp.float32)
        return _towards(left, step)


def _towards(displacement, step):
    """Adds the matched displacement, weighted by the confidence in channel 5 (1/4 at logit 0), to
    the increment's motion (4 channels); the other channels follow.

    `displacement` is `[B, h, w, 2]` in pixels of its own size.
    """
    trust = nn.sigmoid(step[..., 4:5] - 1)
    moved = trust * ops.resize_flow(displacement, size_of(step))
    both = jnp.concatenate([-moved, moved], axis=-1)  # backwards to frame 0, forwards to frame 1
    return jnp.concatenate([step[..., :4] + both, step[..., 5:]], axis=-1)


def _displacements(radius):
    """(x, y) of every channel of a cost volume, `[(2 radius + 1)^2, 2]`."""
    reach = np.arange(-radius, radius + 1, dtype=np.float32)
    y, x = np.meshgrid(reach, reach, indexing="ij")
    return np.stack([x.reshape(-1), y.reshape(-1)], axis=-1)


def _of_unit_power(x):
    x = x.astype(jnp.float32)
    # A product with ones: XLA turns a mean over channels into a scalar loop on a CPU.
    power = jnp.square(x) @ jnp.full((x.shape[-1], 1), 1 / x.shape[-1])
    return x / jnp.sqrt(power + FAINT)


def _pooled(x, scale):
    """Downscaled by a power of two with average pooling."""
    while scale > 1:
        x, scale = average_pool(x), scale / 2
    return shrunk(x, scale)
