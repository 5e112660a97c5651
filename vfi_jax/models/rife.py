"""RIFE: flow from the new frame itself, estimated directly and coarse to fine."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, ConvTranspose, PReLU
from vfi_jax.layers.intermediate_flow import (
    ConvPReLU,
    Estimate,
    FlowBlock,
    ScaledFlow,
    SharedFlow,
    advance,
    check_flow_scale,
    clamp,
    multiple_at,
    plane,
    side_by_side,
    size_of,
)
from vfi_jax.layers.precision import precision
from vfi_jax.layers.scan import scan_shared

LEVELS = 4  # halvings of the context and refinement networks


@dataclasses.dataclass(frozen=True)
class Config:
    """RIFE.

    Attributes:
      channels: of the flow blocks, coarse to fine.
      scales: how much each block's input is shrunk.
      depth: convolutions of a flow block's body.
      width: channels of the context and refinement networks where they are finest.
      any_time: a plane of t tells the blocks the time; otherwise they only know the midpoint.
      double: RIFE-Large's 2R: every block and network at twice the resolution, same weights.
      shared: two light blocks, `channels[0]` wide, for all scales (`SharedFlow`), the residual
        shuffled up from half resolution, no teacher.
      coarse: of `scales`, how many have the first of two shared blocks.
      flow_scale: flow is estimated at this fraction of the resolution: 0.5 for 4K, whose motions
        are large; it changes no weights.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is none of 0.25, 0.5, 1, 2, 4, or options exclude one another.
    """

    channels: tuple[int, ...] = (240, 150, 90)
    scales: tuple[float, ...] = (4, 2, 1)
    depth: int = 8
    width: int = 16
    any_time: bool = False
    double: bool = False
    shared: bool = False
    coarse: int = 0
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale)
        if self.shared and (self.double or not self.any_time):
            raise ValueError("shared needs any_time=True and double=False")
        if not 0 <= self.coarse <= (len(self.scales) if self.shared else 0):
            raise ValueError(
                f"coarse must be 0 to the number of scales, and 0 unless shared, got {self.coarse}"
            )


VARIANTS = {
    "m": Config(any_time=True),
    "2r": Config(double=True),
    "small": Config(
        channels=(48,),
        scales=(8, 8, 4, 4, 2, 2, 1),
        depth=4,
        width=8,
        any_time=True,
        shared=True,
        coarse=4,
    ),
}


class Model(nn.Module):
    """Real-time intermediate flow. Huang et al., ECCV 2022 (arXiv:2011.06294).

    frame_t = clamp(m frame0(p + flow_t0) + (1 - m) frame1(p + flow_t1) + residual, 0, 1)

    Blocks add to flow and to the logit of m, each at its scale; a U-Net fed with features of both
    frames, warped alike, makes the residual. With `targets` in training a teacher, a further block
    that sees the frame to be made, shows the others where to go (`losses.flow_distillation`).

    The paper's IFNet has no input for the time: it answers the midpoint and the driver halves
    further. IFNet_m (`rife/m`) and `rife/small` answer any time. The flow block's and the context's
    view of the frames is computed once for all times, the rest under a scan over them.

    The prediction has, in the order of the blocks and for every time, "flows" `[B, T, 2, H, W, 2]`
    and "blends" `[B, T, H, W, 3]`, none smaller than the one before and, of `rife/small`, the last
    three as large as the frames; "residual"; with a teacher "teacher_flow" and "teacher_blend".
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
        if config.shared:
            self.flow = SharedFlow(
                config.channels[0], scales, config.coarse, config.depth, config.dtype
            )
        else:
            stride = 1 if config.double else 2
            self.flow = ScaledFlow(config.channels, scales, config.depth, stride, config.dtype)
            self.teacher = FlowBlock(config.channels[-1], config.depth, stride, config.dtype)
        self.context = Context(config)
        self.refine = Refinement(config)

    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            frames = frames[..., ::-1]  # the published weights read BGR
            fixed = (frames, self.flow.prepare(frames), self.context(frames))
            of_time = {"time": times}
            # Initialising with targets makes the teacher's variables, whatever `train` says.
            if targets is not None and (train or self.is_initializing()):
                of_time["target"] = targets[..., ::-1]
            each_time = scan_shared(Model._at, self, in_axes=(nn.broadcast, 1))
            return each_time(self, None, fixed, of_time)[1]

    def _at(self, carry, fixed, of_time):
        """The prediction for one time `[B]` of `of_time`; a body of scan."""
        frames, prepared, context = fixed
        time = of_time["time"] if self.config.any_time else None
        estimates = self.flow(frames, prepared, time)
        finest = estimates[-1]
        residual = self.refine(frames, finest, self.warped(context, finest.flow))
        prediction = {
            "frames": clamp(finest.blend + residual)[..., ::-1],
            "flows": tuple(estimate.flow for estimate in estimates),
            "blends": tuple(estimate.blend[..., ::-1] for estimate in estimates),
            "residual": residual[..., ::-1],
        }
        if "target" in of_time and not self.config.shared:
            taught = self._taught(frames, finest, time, of_time["target"])
            prediction["teacher_flow"] = taught.flow
            prediction["teacher_blend"] = taught.blend[..., ::-1]
        return carry, prediction

    def _taught(self, frames: Image, finest: Estimate, time: Array | None, target: Image):
        """The finest estimate after a step that saw the target."""
        warped, flow = side_by_side(finest.warped), side_by_side(finest.flow)
        first = [side_by_side(frames), *plane(time, target)]
        inputs = [*first, warped, finest.logit, target, flow]
        return advance(frames, finest, self.teacher(jnp.concatenate(inputs, axis=-1)))

    def warped(self, context: Sequence[Image], flow: Array) -> list[Image]:
        """The pair's features `[B, 2, h, w, C]` of every level, sampled where the flow points."""
        out = []
        for features in context:
            # Halved once a level, not at once: bilinear steps add up to another filter.
            flow = ops.resize_flow(flow, size_of(features))
            out.append(ops.backward_warp(features, flow, padding="border"))
        return out


class Context(nn.Module):
    """Features of each frame of a pair alone, `[B, 2, h, w, C]`, finest first."""

    config: Config

    @nn.compact
    def __call__(self, frames: Image) -> tuple[Image, ...]:
        config = self.config
        x = frames.reshape(-1, *frames.shape[2:])
        features = []
        for level in range(LEVELS):
            stride = 1 if config.double and level == 0 else 2
            x = Halving(config.width * 2**level, stride, config.dtype, name=f"level{level}")(x)
            features.append(x.reshape(*frames.shape[:2], *x.shape[1:]))
        return tuple(features)


class Refinement(nn.Module):
    """U-Net from all that is known of the new frame to a residual `[B, H, W, 3]` in (-1, 1)."""

    config: Config

    @nn.compact
    def __call__(self, frames: Image, estimate: Estimate, context: Sequence[Image]) -> Image:
        config = self.config
        pairs = [side_by_side(pair) for pair in (frames, estimate.warped, estimate.flow)]
        x = jnp.concatenate([*pairs[:2], estimate.logit, pairs[2]], axis=-1)
        skips = []
        for level in range(LEVELS):
            stride = 1 if config.double and level == 0 else 2
            x = Halving(2 * config.width * 2**level, stride, config.dtype, name=f"down{level}")(x)
            skips.append(x)
            x = jnp.concatenate([x, side_by_side(context[level])], axis=-1)
        skips.pop()
        for level in range(LEVELS - 1):
            x = self._doubled(config.width * 2 ** (LEVELS - 1 - level), f"up{level}", x)
            x = jnp.concatenate([x, skips.pop()], axis=-1)
        return 2 * nn.sigmoid(self._head(x).astype(jnp.float32)) - 1

    def _head(self, x: Image) -> Image:
        config = self.config
        if config.shared:
            zeros = nn.initializers.zeros  # no residual before training
            head = Conv(12, dtype=config.dtype, kernel_init=zeros, bias_init=zeros, name="head")
            return ops.pixel_shuffle(head(x), 2)
        x = self._doubled(config.width, f"up{LEVELS - 1}", x)
        stride = 2 if config.double else 1
        return Conv(3, stride=stride, dtype=config.dtype, name="head")(x)

    def _doubled(self, features: int, name: str, x: Image) -> Image:
        x = ConvTranspose(features, dtype=self.config.dtype, name=name)(x)
        return PReLU(name=f"{name}_prelu")(x)


class Halving(nn.Module):
    """Two convolutions, the first with a stride.

    Attributes:
      features: output channels.
      stride: of both axes.
      dtype: type of the convolutions.
    """

    features: int
    stride: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        x = ConvPReLU(self.features, self.stride, self.dtype, name="conv0")(x)
        return ConvPReLU(self.features, 1, self.dtype, name="conv1")(x)
