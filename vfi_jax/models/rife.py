"""RIFE: direct coarse-to-fine estimation of intermediate flow."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import ConvTranspose
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.intermediate_flow import ConvPReLU, Estimate, advance
from vfi_jax.layers.pairs import clamp, plane, shrunk, side_by_side, size_of
from vfi_jax.layers.precision import precision
from vfi_jax.layers.refinement import Context, Refinement, warped
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system


@dataclasses.dataclass(frozen=True)
class Config:
    """RIFE.

    Attributes:
      channels: channels of the flow blocks, coarse to fine.
      scales: downscaling factor of each block's input.
      depth: number of convolutions of a flow block's body.
      width: channels of the finest level of the context and refinement networks.
      any_time: blocks receive the time as a constant plane; otherwise only the midpoint is
        supported.
      double: run every block and network at twice the resolution with the same weights (RIFE-Large,
        2R).
      flow_scale: fraction of the resolution at which flow is estimated, such as 0.5 for 4K with
        large motion; the same weights work for all.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is not one of 0.25, 0.5, 1, 2, 4.
    """

    channels: tuple[int, ...] = (240, 150, 90)
    scales: tuple[float, ...] = (4, 2, 1)
    depth: int = 8
    width: int = 16
    any_time: bool = False
    double: bool = False
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale)


VARIANTS = {
    "m": Config(any_time=True),
    "2r": Config(double=True),
}


class Model(nn.Module):
    """Real-time intermediate flow. Huang et al., ECCV 2022 (arXiv:2011.06294).

    frame_t = clamp(m frame0(p + flow_t0) + (1 - m) frame1(p + flow_t1) + residual, 0, 1)

    Blocks add to the flow and to the logit of m, each at its own scale. A U-Net predicts the
    residual from warped features of both frames. With `targets` in training, a teacher block that
    also receives the target frame supervises the flow (`losses.flow_distillation`).

    The paper's IFNet has no time input: it predicts the midpoint, and the driver bisects for other
    times. IFNet_m (`rife/m`) predicts any time. The downscaled frames and the context features are
    computed once for all times; the rest runs in a scan over them.

    The output contains, in block order and for every time, "flows" `[B, T, 2, H, W, 2]`,
    "blends" `[B, T, H, W, 3]` and "logits" `[B, T, H, W, 1]`; "residual"; with a teacher also
    "teacher_flow" and "teacher_blend".
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        multiple = multiple_at(self.config.flow_scale, 32)
        any_time = self.config.any_time
        times = None if any_time else (0.5,)
        return Contract(frames=2, times=times, multiple=multiple, flows=any_time)

    def setup(self):
        config = self.config
        scales = tuple(scale / config.flow_scale for scale in config.scales)
        stride = 1 if config.double else 2
        self.flow = ScaledFlow(config.channels, scales, config.depth, stride, config.dtype)
        self.teacher = FlowBlock(config.channels[-1], config.depth, stride, config.dtype)
        self.context = Context(config.width, config.dtype, stride)
        self.refine = Refinement(config.width, config.dtype, stride)

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            frames = frames[..., ::-1]  # the published weights expect BGR
            fixed = (frames, self.flow.prepare(frames), self.context(frames))
            of_time = {"time": times}
            # Initialising with targets creates the teacher's variables for either value of `train`.
            if targets is not None and (train or self.is_initializing()):
                of_time["target"] = targets[..., ::-1]
            each_time = scan_shared(Model._at, self, in_axes=(nn.broadcast, 1))
            return each_time(self, None, fixed, of_time)[1]

    def _at(self, carry, fixed, of_time):
        """The prediction for one time `[B]` of `of_time`; a scan body."""
        frames, prepared, context = fixed
        time = of_time["time"] if self.config.any_time else None
        estimates = self.flow(frames, prepared, time)
        finest = estimates[-1]
        residual = self.refine(frames, finest, warped(context, finest.flow))
        prediction = {
            "frames": clamp(finest.blend + residual)[..., ::-1],
            "flows": tuple(estimate.flow for estimate in estimates),
            "blends": tuple(estimate.blend[..., ::-1] for estimate in estimates),
            "logits": tuple(estimate.logit for estimate in estimates),
            "residual": residual[..., ::-1],
        }
        if "target" in of_time:
            teacher = self._teacher(frames, finest, time, of_time["target"])
            prediction["teacher_flow"] = teacher.flow
            prediction["teacher_blend"] = teacher.blend[..., ::-1]
        return carry, prediction

    def _teacher(self, frames: Image, finest: Estimate, time: Array | None, target: Image):
        """The teacher's estimate: one more block that also receives the target."""
        warped, flow = side_by_side(finest.warped), side_by_side(finest.flow)
        first = [side_by_side(frames), *plane(time, target)]
        inputs = [*first, warped, finest.logit, target, flow]
        return advance(frames, finest, self.teacher(jnp.concatenate(inputs, axis=-1)))


class ScaledFlow(nn.Module):
    """IFNet: a chain of blocks, each of which receives the frames warped by the flow so far.

    A block runs at its own scale and adds to flow and logit at full size.

    Attributes:
      channels: channels of each block, coarse to fine.
      scales: downscaling factor of each block's input.
      depth: number of convolutions of a block's body.
      stride: stride of a block's first convolution.
      dtype: type of the convolutions.

    Source: Huang et al. 2022 (RIFE), sec. 3.2.
    """

    channels: Sequence[int]
    scales: Sequence[float]
    depth: int
    stride: int
    dtype: Any

    def prepare(self, frames: Image) -> list[Image]:
        """The time-independent inputs: the pair `[B, 2, H, W, 3]` at every scale."""
        return [side_by_side(shrunk(frames, scale)) for scale in self.scales]

    @nn.compact
    def __call__(self, frames: Image, prepared: list[Image], time: Array | None) -> list[Estimate]:
        """Full-size estimates of all blocks in order; `time` is `[B]`."""
        flow = jnp.zeros((*frames.shape[:-1], 2))
        estimate = Estimate(flow, jnp.zeros_like(frames[:, 0, ..., :1]), frames)
        estimates: list[Estimate] = []
        for index, (width, small) in enumerate(zip(self.channels, prepared, strict=True)):
            inputs = [small, *plane(time, small)]
            if estimates:
                size = size_of(small)
                seen = jnp.concatenate([side_by_side(estimate.warped), estimate.logit], axis=-1)
                inputs.append(ops.resize_bilinear(seen, size))
                inputs.append(side_by_side(ops.resize_flow(estimate.flow, size)))
            block = FlowBlock(width, self.depth, self.stride, self.dtype, name=f"block{index}")
            step = block(jnp.concatenate(inputs, axis=-1))
            estimate = advance(frames, estimate, step)
            estimates.append(estimate)
        return estimates


class FlowBlock(nn.Module):
    """Predicts increments of flow and logit in 5 channels: (x, y) to both frames, then the logit.

    Attributes:
      channels: channels of the body.
      depth: number of convolutions of the body.
      stride: stride of the first convolution; with 2 the output has half the input's resolution,
        with 1 the same.
      dtype: type of the convolutions.
    """

    channels: int
    depth: int
    stride: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        x = ConvPReLU(self.channels // 2, self.stride, self.dtype, name="stem0")(x)
        x = ConvPReLU(self.channels, 2, self.dtype, name="stem1")(x)
        body = x
        for index in range(self.depth):
            body = ConvPReLU(self.channels, 1, self.dtype, name=f"body{index}")(body)
        step = ConvTranspose(5, dtype=self.dtype, name="head")(body + x)
        return step.astype(jnp.float32)
