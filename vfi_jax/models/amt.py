"""AMT: bidirectional flows, updated by lookups in all-pairs correlations, and multiple fields."""

import dataclasses
import math
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, PReLU, leaky_relu
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.intermediate_features import Decoder, Encoder
from vfi_jax.layers.matching_features import MatchingFeatures
from vfi_jax.layers.pairs import apart, clamp, plane, shrunk, side_by_side, size_of, warp_pair
from vfi_jax.layers.precision import precision
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

FLOW_SCALES = (0.25, 0.5, 0.8, 1.0, 2.0, 4.0)
LEVELS, RADIUS = 4, 3  # levels and radius in pixels of the correlation lookup (sec. 3.2)
# Maximum number of pixels at 1/8 resolution for which all-pairs correlations are stored: 0.7 GB for
# one pair of frames. For more pixels, correlations are computed on demand.
MOST_PAIRED = 8192
AT_A_FRAME = 1e-3  # minimum distance of a time to 0 and 1 when dividing flow by it


@dataclasses.dataclass(frozen=True)
class UpdateWidths:
    """Channels of an update.

    Attributes:
      correlation: channels of each convolution of the correlations.
      flow: channels of both convolutions of the flows.
      motion: channels of the combined motion features.
      hidden: channels of the input of both heads.
    """

    correlation: tuple[int, ...]
    flow: tuple[int, int]
    motion: int
    hidden: int


@dataclasses.dataclass(frozen=True)
class Config:
    """AMT.

    Attributes:
      stem: channels of the first convolution of the matching encoder.
      groups: channels of its groups of residual blocks.
      matched: channels of the matching features.
      bottleneck: use residual blocks of three convolutions instead of two.
      widths: channels of the feature pyramid, finest first; each level halves the resolution.
      side: channels of the side convolutions in a decoder's residual block.
      first_kernel: kernel size of the pyramid's first convolution, in pixels.
      update: channels of the update block of flows and features.
      twice: run a second update at the decoder's resolution at 1/4 and 1/2.
      fields: number of flow pairs at full resolution.
      last_kernel: kernel size of the last convolutions, in pixels.
      any_time: trained for any time; otherwise only for the midpoint.
      flow_scale: fraction of the resolution at which flow is estimated; the same weights work for
        all. The authors evaluate with 0.8 on SNU-FILM and 0.5 on Xiph 4K.
      dtype: type of the convolutions; parameters, correlations, flows and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is not one of 0.25, 0.5, 0.8, 1, 2, 4.
    """

    stem: int = 32
    groups: tuple[int, ...] = (32, 64, 96)
    matched: int = 84
    bottleneck: bool = True
    widths: tuple[int, int, int, int] = (20, 32, 44, 56)
    side: int = 20
    first_kernel: int = 3
    update: UpdateWidths = UpdateWidths((64,), (40, 20), 68, 76)
    twice: bool = False
    fields: int = 3
    last_kernel: int = 3
    any_time: bool = False
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale, FLOW_SCALES)


L = Config(
    stem=64,
    groups=(64, 72, 128),
    matched=128,
    bottleneck=False,
    widths=(48, 64, 72, 128),
    side=48,
    first_kernel=7,
    update=UpdateWidths((256, 160), (96, 48), 124, 128),
    fields=5,
    last_kernel=7,
)
VARIANTS = {
    "s": Config(),
    "l": L,
    "g": dataclasses.replace(
        L,
        groups=(64, 112, 160, 160),
        widths=(84, 96, 112, 128),
        side=84,
        update=UpdateWidths((256, 192), (128, 64), 188, 192),
        twice=True,
    ),
    "gopro": Config(any_time=True),
}


class Model(nn.Module):
    """All-pairs multi-field transforms. Li et al., CVPR 2023 (arXiv:2304.09790).

    frame_t = clamp(mean_k blend_k + conv(prelu(conv(blends))), 0, 1)
    blend_k = m_k frame0(p + flow_t0_k) + (1 - m_k) frame1(p + flow_t1_k) + residual_k

    The pyramid and the decoders are IFRNet's. After each decoder except the last, an update at 1/8
    resolution corrects both flows and the features, using all-pairs correlations around the
    positions where the flows point. The last decoder predicts several pairs of flows, each with a
    mask and a residual. The mean of the pair is subtracted from the frames.

    Correlations of frame 0 with frame 1 are sampled at flow_t1 / t, those of frame 1 with frame 0
    at flow_t0 / (1 - t), as in the authors' code. Linear motion would need the divisors swapped; at
    the midpoint both are 1/2. For frames so small that the coarsest level has at most one pixel,
    correlations are 0 outside it, where the authors' code returns NaN.

    The Vimeo-90K weights were trained for the midpoint only, the GoPro weights for multiples of
    1/8.

    The output contains, coarse to fine and for every time, "flows" `[B, T, 2, h, w, 2]` in pixels
    of their own size, the last of which is the mean of the "fields" `[B, T, 2, K, H, W, 2]`, all at
    `flow_scale` of the frames' size; "features" `[B, T, h, w, C]` with the sizes of all flows
    except the last; and full-size "masks" `[B, T, K, H, W, 1]`.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        multiple = multiple_at(self.config.flow_scale, 2 ** len(self.config.widths))
        return Contract(frames=2, times=None if self.config.any_time else (0.5,), multiple=multiple)

    def setup(self):
        config = self.config
        self.matching = MatchingFeatures(
            config.stem, config.groups, config.matched, config.bottleneck, config.dtype
        )
        self.encoder = Encoder(config.widths, config.first_kernel, config.dtype)
        finer = config.widths[-2::-1]
        # Two flows and the features of the next finer level; the last decoder predicts the fields.
        outputs = [4 + width for width in finer] + [config.fields * (4 + 1 + 3)]
        self.decoders = [
            Decoder((3 if level else 2) * width, config.side, output, config.dtype)
            for level, (width, output) in enumerate(zip(config.widths[::-1], outputs, strict=True))
        ]
        self.updates = [Update(config.update, width, config.dtype) for width in finer]
        if config.twice:
            self.fine_updates = [Update(config.update, width, config.dtype) for width in finer[1:]]
        self.combine = Combine(config.fields, config.last_kernel, config.dtype)

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            mean = frames.mean((1, 2, 3, 4), keepdims=True)
            small = shrunk(frames - mean, 1 / self.config.flow_scale)
            correlations = Correlations.of(self.matching(small).astype(jnp.float32))
            pyramid = self.encoder(small)
            each_time = scan_shared(
                Model._at, self, in_axes=(nn.broadcast, nn.broadcast, nn.broadcast, nn.broadcast, 1)
            )
            return each_time(self, None, frames, mean, correlations, pyramid, times)[1]

    def _at(
        self,
        carry: None,
        frames: Image,
        mean: Array,
        correlations: "Correlations",
        pyramid: tuple[Image, ...],
        time: Array,
    ) -> tuple[None, dict]:
        """The prediction for one time `[B]`; a scan body."""
        flows: list[Array] = []
        features: list[Image] = []
        for level, pair in enumerate(pyramid[:0:-1]):
            out = self._decoded(level, pair, flows, features, time)
            flow = apart(out[..., :4])
            if flows:
                flow += ops.resize_flow(flows[-1], size_of(flow))
            flow, feature = self._updated(level, flow, out[..., 4:], correlations, time)
            flows.append(flow)
            features.append(feature)
        out = self._decoded(len(flows), pyramid[0], flows, features, time)
        fields, logits, residual = jnp.split(
            out, [4 * self.config.fields, 5 * self.config.fields], axis=-1
        )
        size = size_of(fields)
        fields = apart(fields).reshape(-1, 2, *size, self.config.fields, 2)
        fields = jnp.moveaxis(fields, -2, 2)
        fields += ops.resize_flow(flows[-1], size)[:, :, None]
        masks, residual = (_planes(x, self.config.fields) for x in (nn.sigmoid(logits), residual))
        full = size_of(frames)
        masks, residual = ops.resize_bilinear(masks, full), ops.resize_bilinear(residual, full)
        blends = _blends(frames, mean, ops.resize_flow(fields, full), masks, residual)
        prediction = {
            "frames": clamp(blends.mean(1) + self.combine(blends)),
            "flows": (*flows, fields.mean(2)),
            "fields": fields,
            "features": tuple(features),
            "masks": masks,
        }
        return carry, prediction

    def _decoded(self, level, pair, flows, features, time):
        """Output of a decoder for a level's features `[B, 2, h, w, C]` and the estimate so far."""
        if not flows:
            inputs = [side_by_side(pair), *plane(time, pair[:, 0])]
        else:
            warped = side_by_side(warp_pair(pair, flows[-1]))
            inputs = [features[-1], warped, side_by_side(flows[-1])]
        return self.decoders[level](jnp.concatenate(inputs, axis=-1))

    def _updated(self, level, flow, feature, correlations, time):
        """Updated flow `[B, 2, h, w, 2]` and features of a level."""
        size, coarse = size_of(flow), correlations.size
        seen = ops.resize_flow(flow, coarse)
        correlation = correlations.around(seen, time)
        step, change = self.updates[level](
            ops.resize_bilinear(feature, coarse), correlation, side_by_side(seen)
        )
        flow += ops.resize_flow(apart(step), size)
        feature += ops.resize_bilinear(change, size)
        if self.config.twice and level:
            correlation = ops.resize_bilinear(correlation, size)
            step, change = self.fine_updates[level - 1](feature, correlation, side_by_side(flow))
            flow, feature = flow + apart(step), feature + change
        return flow, feature


class Update(nn.Module):
    """Predicts increments of both flows `[B, h, w, 4]` and of the features, in float32.

    Attributes:
      widths: hidden channels.
      features: channels of the features.
      dtype: type of the convolutions.
    """

    widths: UpdateWidths
    features: int
    dtype: Any

    @nn.compact
    def __call__(self, feature: Image, correlation: Image, flow: Array) -> tuple[Array, Image]:
        widths, matched = self.widths, correlation
        for index, width in enumerate(widths.correlation):
            matched = self._active(width, f"correlation{index}", matched, 3 if index else 1)
        moved = self._active(widths.flow[0], "flow0", flow, 7)
        moved = self._active(widths.flow[1], "flow1", moved)
        x = self._active(widths.motion, "motion", jnp.concatenate([matched, moved], axis=-1))
        x = self._active(widths.hidden, "body0", jnp.concatenate([x, flow, feature], axis=-1))
        x = Conv(widths.hidden, dtype=self.dtype, name="body1")(x)
        step, change = (
            Conv(outputs, dtype=self.dtype, name=f"{name}_head1")(
                self._active(widths.hidden, f"{name}_head0", x)
            )
            for name, outputs in (("flow", 4), ("feature", self.features))
        )
        return step.astype(jnp.float32), change.astype(jnp.float32)

    def _active(self, width, name, x, kernel=3):
        return leaky_relu(Conv(width, kernel, dtype=self.dtype, name=name)(x))


class Combine(nn.Module):
    """Residual added to the mean of several frames `[B, K, H, W, 3]`, in float32.

    Attributes:
      fields: number of frames K.
      kernel: kernel size of the convolutions, in pixels.
      dtype: type of the convolutions.
    """

    fields: int
    kernel: int
    dtype: Any

    @nn.compact
    def __call__(self, blends: Image) -> Image:
        x = jnp.concatenate([blends[:, index] for index in range(self.fields)], axis=-1)
        x = Conv(6 * self.fields, self.kernel, dtype=self.dtype, name="conv0")(x)
        x = PReLU(name="prelu")(x)
        return Conv(3, self.kernel, dtype=self.dtype, name="conv1")(x).astype(jnp.float32)


class Correlations(NamedTuple):
    """Correlations of each frame of a pair with the other, at `LEVELS` resolutions.

    Attributes:
      features: `[B, 2, h, w, C]`.
      others: features of the other frame.
      volumes: all-pairs correlations, finest first; None if too large to store.
    """

    features: Image
    others: Image
    volumes: tuple[Array, ...]

    @classmethod
    def of(cls, features: Image) -> "Correlations":
        """Correlations of features `[B, 2, h, w, C]`."""
        # A coarsest level without pixels is padded to one pixel of zeros.
        least = 2 ** (LEVELS - 1)
        more = [(0, max(0, least - side)) for side in size_of(features)]
        others = jnp.pad(features[:, ::-1], ((0, 0), (0, 0), *more, (0, 0)))
        if math.prod(size_of(features)) > MOST_PAIRED:
            return cls(features, others, ())
        return cls(features, others, ops.all_pairs_correlation(features, others, levels=LEVELS))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the features."""
        return size_of(self.features)

    def around(self, flow: Array, time: Array) -> Image:
        """Both frames' correlations `[B, h, w, C]` around the targets of flow `[B, 2, h, w, 2]`."""
        time = jnp.clip(time, AT_A_FRAME, 1 - AT_A_FRAME)
        share = jnp.stack([time, 1 - time], axis=1)[..., None, None, None]
        flow = flow[:, ::-1] / share
        if self.volumes:
            return side_by_side(ops.correlation_lookup(self.volumes, flow, radius=RADIUS))
        return side_by_side(
            ops.correlate_around(self.features, self.others, flow, levels=LEVELS, radius=RADIUS)
        )


def _planes(x, count):
    """`[B, H, W, K C]` as `[B, K, H, W, C]`."""
    return jnp.stack(jnp.split(x, count, axis=-1), axis=1)


def _blends(frames, mean, fields, masks, residual):
    """The blended frame of each field `[B, 2, K, H, W, 2]`, `[B, K, H, W, 3]`."""

    def blend(each):
        flow, mask, rest = each
        warped = warp_pair(frames - mean, flow)
        return mask * warped[:, 0] + (1 - mask) * warped[:, 1] + mean[:, 0] + rest

    each = (jnp.moveaxis(fields, 2, 0), masks.swapaxes(0, 1), residual.swapaxes(0, 1))
    return lax.map(blend, each).swapaxes(0, 1)
