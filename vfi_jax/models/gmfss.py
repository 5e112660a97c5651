"""GMFSS Fortuna: features splatted along GMFlow's flow and fused by a GridNet."""

import dataclasses
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Flow, Frames, Image, Mask, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, PReLU
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.grid import GridNet, PreactivatedBlock
from vfi_jax.layers.pairs import apart, size_of
from vfi_jax.layers.precision import precision
from vfi_jax.layers.residual_flow import ResidualFlow
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system
from vfi_jax.networks import gmflow

MULTIPLE = 64  # GMFlow's 32, at half the resolution
STEEPEST = 10.0  # maximum absolute value of the metric (MetricNet.py)
METRIC_DEPTH = 3  # residual convolutions of the metric network
RELATIVE, ABSOLUTE = 0.01, 0.5  # tolerances of the forward-backward check (gmflow/geometry.py)
RIFE_SCALES = (8, 4, 2, 1)  # of Practical-RIFE 4.6


@dataclasses.dataclass(frozen=True)
class Config:
    """GMFSS Fortuna, "union" by default.

    Attributes:
      widths: channels of the features, finest first, at 1/2, 1/4 and 1/8.
      rife_channels: channels of the blocks of the RIFE whose frame is fused too ("union"); (): no
        RIFE, the input frames are fused instead ("base").
      flow_widths: as in `networks.gmflow`, like the next two.
      flow_features: channels of the matched features.
      flow_blocks: number of blocks of its transformer.
      flow_scale: flow is estimated at this fraction of half the resolution; the same weights work
        for all.
      dtype: type of the convolutions; parameters, flows, metrics and splats stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is not one of 0.25, 0.5, 1, 2, 4.
    """

    widths: tuple[int, int, int] = (64, 128, 192)
    rife_channels: tuple[int, ...] = (192, 128, 96, 64)
    flow_widths: tuple[int, int, int] = (64, 96, 128)
    flow_features: int = 128
    flow_blocks: int = 6
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale)


VARIANTS = {"union": Config(), "base": Config(rife_channels=())}


class Views(NamedTuple):
    """Everything about both frames that does not depend on the time.

    The first axis is the frame, 0 or 1.

    Attributes:
      halves: `[2, B, H/2, W/2, 3]`, the frames at half the resolution.
      features: `[2, B, h, w, C]` at 1/2, 1/4 and 1/8.
      flow: `[2, B, H/2, W/2, 2]` pixels of the halves, to the other frame.
      metric: `[2, B, H/2, W/2, 1]`, importance of each pixel; larger values are in front.
    """

    halves: Image
    features: tuple[Image, ...]
    flow: Flow
    metric: Mask


class Model(nn.Module):
    """GMFSS Fortuna (98mxr/GMFSS_Fortuna; no paper).

    GMFlow's flows between the half-resolution frames and the importance metrics Z0 and Z1 are
    computed once per pair. For each time t, image and features of frame 0 are splatted along t
    flow01 with importance t Z0, those of frame 1 along (1 - t) flow10 with (1 - t) Z1. A GridNet
    fuses them with the half-resolution frame of Practical-RIFE 4.6 ("union") or with both input
    frames ("base"), and doubles the size. The frame is not clipped.

    In training, flow and RIFE run on uncropped frames without gradient, as in the authors' code.

    RGB. The authors' caller resizes frames to multiples of 64 instead of padding them. The output
    contains "flow01", "flow10", "metric0" and "metric1" at half resolution, and for "union" also
    "rife", `[B, T, H/2, W/2, 3]`.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        multiple = multiple_at(self.config.flow_scale, MULTIPLE)
        return Contract(frames=2, times=None, multiple=multiple)

    @system
    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        config = self.config
        with precision(config.precision):
            half = _resized(frames, 0.5)
            features = Encoder(config.widths, config.dtype, name="features")(_frame_first(frames))
            flow = self._flow(frames if train else half, size_of(half))
            if train:
                flow = lax.stop_gradient(flow)
            halves = _frame_first(half)
            metric = Metric(config.widths[0], config.dtype, name="metric")(halves, flow)
            views = Views(halves, features, flow, metric)
            made = {}
            if config.rife_channels:
                made["rife"] = self._rife(frames if train else half, times, size_of(half))
                if train:
                    made["rife"] = lax.stop_gradient(made["rife"])
            # A scan, so that memory does not grow with the number of times.
            each_time = scan_shared(
                Synthesis,
                self,
                in_axes=(nn.broadcast, 0, 1),
                variable_axes={"intermediates": 0},  # if captured
            )
            synthesis = each_time(config.widths, config.dtype, name="synthesis")
            _, made["frames"] = synthesis((), views, times.T, made.get("rife"))
        return made | {
            "flow01": flow[0],
            "flow10": flow[1],
            "metric0": metric[0],
            "metric1": metric[1],
        }

    def _flow(self, frames, size):
        """Bidirectional flows `[2, B, *size, 2]` between frames `[B, 2, H, W, 3]` of any size."""
        config = self.config
        network = gmflow.Model(
            gmflow.Config(
                widths=config.flow_widths,
                features=config.flow_features,
                blocks=config.flow_blocks,
                dtype=config.dtype,
                precision=config.precision,
            ),
            name="flow",
        )
        seen = _resized(frames, config.flow_scale)
        flow = network(seen[:, 0], seen[:, 1], both=True)["flow"]
        flow = flow.reshape(2, -1, *flow.shape[1:])
        # Resized to the frames' own size first, which differs from `size` in training.
        return ops.resize_flow(ops.resize_flow(flow, size_of(frames)), size)

    def _rife(self, frames, times, size):
        config = self.config
        rife = ResidualFlow(
            channels=config.rife_channels,
            scales=RIFE_SCALES,
            accumulate=True,
            unread=1,
            dtype=config.dtype,
            name="rife",
        )
        return ops.resize_bilinear(rife(frames, times)["frames"], size)


class Encoder(nn.Module):
    """Features of each frame at 1/2, 1/4 and 1/8 resolution, float32."""

    widths: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(self, frames: Image) -> tuple[Image, ...]:
        """Features of frames `[2, B, H, W, 3]`."""
        x = frames.reshape(-1, *frames.shape[2:])
        features = []
        for level, width in enumerate(self.widths):
            # The activation precedes each convolution, even on the image.
            x = _block(width, self.dtype, f"level{level}", stride=2)(x)
            features.append(x.astype(jnp.float32).reshape(*frames.shape[:2], *x.shape[1:]))
        return tuple(features)


class Metric(nn.Module):
    """Importance metric of both frames' pixels, `[2, B, H, W, 1]` in -10 to 10.

    Estimated from both frames, their photometric error along the flow, the flow, and the
    forward-backward occlusion mask.
    """

    width: int
    dtype: Any

    @nn.compact
    def __call__(self, frames: Image, flow: Flow) -> Mask:
        height, width = size_of(frames)
        error = jnp.abs(frames - ops.backward_warp(frames[::-1], flow)).mean(-1, keepdims=True)
        hidden = _hidden(flow)
        self.sow("intermediates", "hidden", hidden)
        halves = jnp.asarray([(width - 1) / 2, (height - 1) / 2])
        seen = [*frames, *-error, *(flow / halves), *hidden]

        def conv(features, name):
            return Conv(features, dtype=self.dtype, name=name)

        x = conv(self.width, "stem")(jnp.concatenate(seen, axis=-1))
        for index in range(METRIC_DEPTH):
            activated = PReLU(shared=True, name=f"body{index}_prelu")(x)
            x = conv(self.width, f"body{index}_conv")(activated) + x
        x = conv(2, "head_conv")(PReLU(shared=True, name="head_prelu")(x))
        metric = STEEPEST * jnp.tanh(x.astype(jnp.float32))
        return jnp.moveaxis(apart(metric), 1, 0)


class Synthesis(nn.Module):
    """The frame at one time: a scan step with an empty carry."""

    widths: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(
        self, carry: tuple, views: Views, time: Array, rife: Image | None
    ) -> tuple[tuple, Image]:
        times = jnp.stack([time, 1 - time])[..., None, None, None]  # distance to each frame
        flow, metric = times * views.flow, times * views.metric
        moved0, moved1 = self._moved(views.halves, flow, metric, "halves")
        if rife is None:
            images = [views.halves[0], moved0, moved1, views.halves[1]]
        else:
            images = [moved0, rife, moved1]
        rows = []
        for level, (features, width) in enumerate(zip(views.features, self.widths, strict=True)):
            size = size_of(features)
            moved = self._moved(
                features,
                ops.resize_flow(flow, size),
                ops.resize_bilinear(metric, size),
                f"level{level}",
            )
            moved = jnp.concatenate([*moved], axis=-1)
            rows.append(_block(width, self.dtype, f"head{level}")(moved))
        merged = jnp.concatenate(images, axis=-1)
        rows[0] += _block(self.widths[0], self.dtype, "images")(merged)
        grid = GridNet(
            self.widths,
            2,
            2,
            self.dtype,
            use_bias=True,
            one_slope=True,
            transposed=True,
            name="grid",
        )
        x = grid(rows)
        x = PReLU(shared=True, name="prelu")(self._conv(self.widths[0], "before")(x))
        x = ops.pixel_shuffle(self._conv(4 * self.widths[0], "up")(x), 2)
        return carry, self._conv(3, "last")(x).astype(jnp.float32)

    def _moved(self, image, flow, metric, name):
        moved = ops.forward_splat(image, flow, mode="softmax", metric=metric)
        self.sow("intermediates", name, moved)
        return moved

    def _conv(self, features, name):
        return Conv(features, dtype=self.dtype, name=name)


def _block(width, dtype, name, *, stride=1):
    return PreactivatedBlock(width, stride, dtype=dtype, use_bias=True, one_slope=True, name=name)


def _hidden(flow):
    """Occlusion mask of bidirectional flow `[2, B, H, W, 2]`, without gradient.

    |flow01 + back| > 0.01 (|flow01| + |flow10|) + 0.5, back(p) = flow10(p + flow01(p)): the right
    side uses flow10 unwarped, as in the authors' code.
    """
    flow = lax.stop_gradient(flow)
    back = ops.backward_warp(flow[::-1], flow)

    def length(vectors):
        return jnp.sqrt(jnp.square(vectors).sum(axis=-1, keepdims=True))

    allowed = RELATIVE * (length(flow) + length(flow[::-1])) + ABSOLUTE
    return (length(flow + back) > allowed).astype(jnp.float32)


def _frame_first(frames):
    return jnp.moveaxis(frames, 1, 0)


def _resized(frames, scale):
    height, width = size_of(frames)
    return ops.resize_bilinear(frames, (round(height * scale), round(width * scale)))
