"""SoftSplat: softmax splatting of both frames and their features to time t."""

import dataclasses
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Flow, Frames, Image, Mask, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, PReLU
from vfi_jax.layers.grid import GridNet, ProjectedBlock
from vfi_jax.layers.norm import standardised
from vfi_jax.layers.plain_flow import PlainFlow, resize_flow_by_width
from vfi_jax.layers.precision import precision
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

STEEPEST = 20.0  # maximum absolute importance (run.py:435-436)


@dataclasses.dataclass(frozen=True)
class Config:
    """SoftSplat.

    Attributes:
      flow_features: channels of the flow network's pyramid, finest first.
      flow_decoder: channels of its decoders.
      widths: channels of the frame features and of the synthesis network, finest first; each level
        after the first halves the resolution.
      metric_widths: channels of the importance network, finest first; the first is a multiple of 4.
      columns: number of down and up columns of the synthesis network.
      dtype: type of the convolutions; parameters, flows, importance and splats stay float32.
      precision: precision of the convolutions, see `layers.precision`.
    """

    flow_features: tuple[int, ...] = (16, 32, 64, 96, 128, 192)
    flow_decoder: tuple[int, ...] = (128, 128, 96, 64, 32)
    widths: tuple[int, ...] = (32, 64, 96)
    metric_widths: tuple[int, ...] = (16, 32, 64, 96)
    columns: int = 3
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {
    "l1": Config(),  # higher PSNR: used in the authors' benchmark
    "lf": Config(),  # perceptual quality: the default of the authors' script
    "small": Config(
        flow_features=(8, 12, 16),
        flow_decoder=(16, 12),
        widths=(8, 12, 16),
        metric_widths=(8, 12),
        columns=1,
    ),
}


class Views(NamedTuple):
    """Everything about both frames that does not depend on the time, finest level first.

    The first axis is the frame, 0 or 1.

    Attributes:
      features: `[2, B, h, w, C]`; the finest start with the frame itself.
      flow: `[2, B, h, w, 2]` pixels of the level, to the other frame.
      metric: `[2, B, h, w, 1]`, minus the importance of a pixel; larger values are behind.
    """

    features: tuple[Image, ...]
    flow: tuple[Flow, ...]
    metric: tuple[Mask, ...]


class Model(nn.Module):
    """Softmax splatting. Niklaus and Liu, CVPR 2020 (arXiv:2003.05534).

    Flow, features and importance are computed once per pair of frames. For each time t the features
    of frame 0 are splatted along t flow01 and those of frame 1 along (1 - t) flow10, weighted by
    the softmax of the importance. A GridNet synthesises the frame from them.

    Both frames are standardised jointly to mean 0 and variance 1, and the output is transformed
    back (sniklaus/softmax-splatting run.py:562-574). The networks accept any size; the authors'
    caller uses even sizes (run.py:598-602). The released weights were trained at time 0.5; for
    other times the metrics, "metric0" and "metric1", are multiplied by 2 t and 2 (1 - t). The
    authors' script also uses multiples of 1/4.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        return Contract(frames=2, times=None, multiple=2)

    @system
    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            seen, mean, deviation = standardised(frames)
            views = self._views(seen[..., ::-1])  # the published weights expect BGR
            # A scan, so that memory does not grow with the number of times.
            each_time = scan_shared(
                Synthesis,
                self,
                in_axes=(nn.broadcast, 0),
                variable_axes={"intermediates": 0},  # if captured
            )
            _, made = each_time(self.config, name="synthesis")((), views, times.T)
        flow, metric = views.flow[0], views.metric[0]
        return {
            "frames": made[..., ::-1] * deviation + mean,
            "flow01": flow[0],
            "flow10": flow[1],
            "metric0": metric[0],
            "metric1": metric[1],
        }

    def _views(self, frames):
        """Views of standardised frames `[B, 2, H, W, 3]`."""
        config = self.config
        both = jnp.moveaxis(frames, 1, 0)
        stacked = both.reshape(-1, *both.shape[2:])
        flow_network = PlainFlow(
            config.flow_features, config.flow_decoder, config.dtype, name="flow"
        )
        flow = flow_network(stacked)
        features = Encoder(config.widths, config.dtype, name="encoder")(stacked)
        metric = Metric(config.metric_widths, config.dtype, name="metric")(features[0], flow)
        flows, metrics = [flow], [metric]
        for coarser in features[1:]:
            size = coarser.shape[-3:-1]
            flows.append(resize_flow_by_width(flows[-1], size))
            metrics.append(ops.resize_bilinear(metrics[-1], size))

        def split(levels):
            return tuple(level.reshape(2, -1, *level.shape[1:]) for level in levels)

        return Views(split(features), split(flows), split(metrics))


class Synthesis(nn.Module):
    """The standardised frame at one time: a scan step with an empty carry."""

    config: Config

    @nn.compact
    def __call__(self, carry: tuple, views: Views, time: Array) -> tuple[tuple, Image]:
        config = self.config
        times = jnp.stack([time, 1 - time])[..., None, None, None]  # distance to each frame
        warped = []
        for level, width in enumerate(config.widths):
            features, flow, metric = (part[level] for part in views)
            metric = 2 * times * metric
            arrived = ops.forward_splat(
                jnp.concatenate([features, metric], axis=-1, dtype=jnp.float32),
                times * flow,
                mode="softmax",
                metric=jnp.clip(-metric, -STEEPEST, STEEPEST),
            )
            block = ProjectedBlock(width, width, config.dtype, name=f"warped{level}")
            warped.append(block(jnp.concatenate([*arrived], axis=-1)))
        grid = GridNet(config.widths, config.columns, config.columns, config.dtype, name="grid")
        last = ProjectedBlock(config.widths[0], 3, config.dtype, name="last")
        return carry, last(grid(warped)).astype(jnp.float32)


class Encoder(nn.Module):
    """Features of each frame, finest first; the finest start with the frame itself."""

    widths: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(self, frames: Image) -> tuple[Image, ...]:
        x, features = frames, []
        for level, width in enumerate(self.widths):
            for index, stride in enumerate((2 if level else 1, 1)):
                name = f"level{level}_conv{index}"
                conv = Conv(width, stride=stride, use_bias=False, dtype=self.dtype, name=name)
                x = PReLU(name=f"level{level}_prelu{index}")(conv(x))
            features.append(x)
        features[0] = jnp.concatenate([frames, features[0]], axis=-1, dtype=jnp.float32)
        return tuple(features)


class Metric(nn.Module):
    """Minus the paper's importance metric of each pixel, `[2 B, H, W, 1]` float32.

    Estimated from the frame and the feature difference to the other frame along the flow.
    """

    widths: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(self, features: Image, flow: Flow) -> Mask:
        others = jnp.roll(features, len(features) // 2, axis=0)
        error = jnp.abs(features - ops.backward_warp(others, flow))
        # The mean as a product: a plain sum would run as a scalar loop fused with the warp.
        error = error @ jnp.full((error.shape[-1], 1), 1 / error.shape[-1], error.dtype)

        def conv(features, name):
            return Conv(features, use_bias=False, dtype=self.dtype, name=name)

        of_error = self.widths[0] // 4
        of_frame = conv(self.widths[0] - of_error, "frame")(features[..., :3])
        x = jnp.concatenate([of_frame, conv(of_error, "error")(error)], axis=-1)
        x = GridNet(self.widths, 1, 1, self.dtype, name="grid")([x])
        return ProjectedBlock(x.shape[-1], 1, self.dtype, name="last")(x).astype(jnp.float32)
