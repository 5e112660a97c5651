"""IFRNet: intermediate flow and features, refined together from coarse to fine."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.intermediate_features import Decoder, Encoder
from vfi_jax.layers.pairs import apart, clamp, plane, shrunk, side_by_side, size_of, warp_pair
from vfi_jax.layers.precision import precision
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

FLOW_SCALES = (0.25, 0.5, 0.8, 1.0, 2.0, 4.0)


@dataclasses.dataclass(frozen=True)
class Config:
    """IFRNet.

    Attributes:
      widths: channels of the feature pyramid, finest first; each level halves the resolution.
      side: channels of the side convolutions in a decoder's residual block.
      first_kernel: kernel size of the first convolution, in pixels.
      any_time: trained for any time; otherwise only for the midpoint.
      flow_scale: fraction of the resolution at which flow is estimated; the same weights work for
        all. Use 0.5 for 4K with large motion; the authors evaluate with 0.8 on SNU-FILM.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is not one of 0.25, 0.5, 0.8, 1, 2, 4.
    """

    widths: tuple[int, ...] = (32, 48, 72, 96)
    side: int = 32
    first_kernel: int = 3
    any_time: bool = False
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale, FLOW_SCALES)


VARIANTS = {
    "l": Config(widths=(64, 96, 144, 192), side=64, first_kernel=7),
    "s": Config(widths=(24, 36, 54, 72), side=24),
    "gopro": Config(any_time=True),
}


class Model(nn.Module):
    """Intermediate feature refine network. Kong et al., CVPR 2022 (arXiv:2205.14620).

    frame_t = clamp(m frame0(p + flow_t0) + (1 - m) frame1(p + flow_t1) + residual, 0, 1)

    Each frame has a feature pyramid. From coarse to fine, a decoder takes the frames' features
    warped by the current flows, updates both flows and predicts new intermediate features. The last
    decoder predicts the logit of m and the residual instead of features. The mean of the pair is
    subtracted from the frames.

    The Vimeo-90K weights were trained for the midpoint only, the GoPro weights for multiples of
    1/8.

    The output contains, coarse to fine and for every time, "flows" `[B, T, 2, h, w, 2]` in pixels
    of their own size, the last at full size, and "features" `[B, T, h, w, C]`, the first with the
    size of the first flows; with `targets` in training also the targets' features of the same
    levels, "target_features".
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        multiple = multiple_at(self.config.flow_scale, 2 ** len(self.config.widths))
        return Contract(frames=2, times=None if self.config.any_time else (0.5,), multiple=multiple)

    def setup(self):
        config = self.config
        self.encoder = Encoder(config.widths, config.first_kernel, config.dtype)
        # Two flows and the features of the next finer level; the last: logit and residual instead.
        outputs = [4 + width for width in config.widths[-2::-1]] + [4 + 1 + 3]
        self.decoders = [
            Decoder((3 if level else 2) * width, config.side, output, config.dtype)
            for level, (width, output) in enumerate(zip(config.widths[::-1], outputs, strict=True))
        ]

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            mean = frames.mean((1, 2, 3, 4), keepdims=True)
            shrink = 1 / self.config.flow_scale
            pyramid = self.encoder(shrunk(frames - mean, shrink))
            each_time = scan_shared(
                Model._at, self, in_axes=(nn.broadcast, nn.broadcast, nn.broadcast, 1)
            )
            prediction = each_time(self, None, frames, mean[:, 0], pyramid, times)[1]
            if targets is not None and train:
                features = self.encoder(shrunk(targets - mean, shrink))
                prediction["target_features"] = features[:-1][::-1]
        return prediction

    def _at(
        self, carry: None, frames: Image, mean: Array, pyramid: tuple[Image, ...], time: Array
    ) -> tuple[None, dict]:
        """The prediction for one time `[B]`; a scan body."""
        flows: list[Array] = []
        features: list[Image] = []
        for decoder, pair in zip(self.decoders, pyramid[::-1], strict=True):
            if flows:
                flow = flows[-1]
                inputs = [features[-1], side_by_side(warp_pair(pair, flow)), side_by_side(flow)]
            else:
                inputs = [side_by_side(pair), *plane(time, pair[:, 0])]
            out = decoder(jnp.concatenate(inputs, axis=-1))
            step = apart(out[..., :4])
            flows.append(step + ops.resize_flow(flows[-1], size_of(step)) if flows else step)
            features.append(out[..., 4:])
        size, last = size_of(frames), features.pop()
        flows[-1] = ops.resize_flow(flows[-1], size)
        weight = ops.resize_bilinear(nn.sigmoid(last[..., :1]), size)
        residual = ops.resize_bilinear(last[..., 1:], size)
        warped = warp_pair(frames - mean[:, None], flows[-1])
        blend = weight * warped[:, 0] + (1 - weight) * warped[:, 1] + mean
        prediction = {
            "frames": clamp(blend + residual),
            "flows": tuple(flows),
            "features": tuple(features),
        }
        return carry, prediction
