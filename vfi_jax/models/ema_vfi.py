"""EMA-VFI: inter-frame window attention that extracts appearance and motion together."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.inter_frame_attention import FAN_OUT, InterFrameStage
from vfi_jax.layers.intermediate_flow import ConvPReLU, Estimate, advance, at_size
from vfi_jax.layers.pairs import clamp, shrunk, side_by_side, size_of
from vfi_jax.layers.precision import precision
from vfi_jax.layers.refinement import Refinement, warped
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

CONVOLVED = 3  # feature levels computed by convolutions only
MOTION = (64, 128)  # motion channels per block of each stage
EMBEDDING_EPSILON = 1e-5  # of the norms before a stage (model/feature_extractor.py)
EPSILON = 1e-6  # of the norms after it (config.py)
ZEROS = nn.initializers.zeros


@dataclasses.dataclass(frozen=True)
class Config:
    """EMA-VFI.

    Attributes:
      width: channels of the finest features; each of the four levels after it has twice as many.
      depths: blocks of inter-frame attention at 1/8 and at 1/16 of the resolution.
      any_time: trained for any time; otherwise only for the midpoint.
      flow_scale: fraction of the resolution at which flow is estimated; the same weights work for
        all. The authors evaluate with 0.5 for large motion and 0.25 for 4K.
      dtype: type of the convolutions; parameters, tokens, flows and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is not one of 0.25, 0.5, 1, 2, 4.
    """

    width: int = 32
    depths: tuple[int, int] = (4, 4)
    any_time: bool = False
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale)


VARIANTS = {
    "t": Config(any_time=True),
    "small": Config(width=16, depths=(2, 2)),
    "small_t": Config(width=16, depths=(2, 2), any_time=True),
}


class Model(nn.Module):
    """Extracting motion and appearance. Zhang et al., CVPR 2023 (arXiv:2303.00440).

    frame_t = clamp(m frame0(p + flow_t0) + (1 - m) frame1(p + flow_t1) + residual, 0, 1)

    A feature pyramid of both frames uses inter-frame attention on its two coarsest levels. Two
    heads estimate flow and the logit of m from their motion features, multiplied by the time, and
    their appearance features. RIFE's U-Net then predicts the residual from the appearance features
    of all levels, warped by the flow. The networks expect BGR.

    Everything independent of the time is computed once. The authors' weights for any time and for
    the midpoint use the same network.

    Attention masks are computed for the current size. The released code reuses the masks of an
    earlier size if the number of padded tokens is equal, so its result depends on earlier calls.

    The output contains, for both heads and every time, "flows" `[B, T, 2, h, w, 2]` in pixels of
    their own size and "blends" `[B, T, h, w, 3]`, the last at full size; and "residual".

    Source: MCG-NJU/EMA-VFI, model/feature_extractor.py, flow_estimation.py and refine.py.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        multiple = multiple_at(self.config.flow_scale, 16)
        return Contract(frames=2, times=None if self.config.any_time else (0.5,), multiple=multiple)

    def setup(self):
        config = self.config
        self.backbone = Backbone(config.width, config.depths, config.dtype)
        self.heads = [Head(4 * config.width, config.dtype) for _ in MOTION]
        self.refine = Refinement(
            2 * config.width, config.dtype, kernel_init=FAN_OUT, bias_init=ZEROS
        )

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            frames = frames[..., ::-1]
            features, motions = self.backbone(frames)
            pair, seen = self.small(frames), features
            if self.config.flow_scale != 1:
                seen, motions = self.backbone(pair)
            fixed = (frames, features, pair, seen[CONVOLVED:], motions)
            each_time = scan_shared(Model._at, self, in_axes=(nn.broadcast, 1))
            return each_time(self, None, fixed, times)[1]

    def small(self, frames: Image) -> Image:
        """Frames at the size at which flow is estimated."""
        return shrunk(frames, 1 / self.config.flow_scale)

    def _at(self, carry: None, fixed: tuple, time: Array) -> tuple[None, dict]:
        """The prediction for one time `[B]`; a scan body."""
        frames, features, pair, coarse, motions = fixed
        *estimates, finest = self.estimates(pair, coarse, motions, time)
        estimates.append(at_size(frames, finest))
        finest = estimates[-1]
        residual = self.refine(frames, finest, warped(features, finest.flow))
        prediction = {
            "frames": clamp(finest.blend + residual)[..., ::-1],
            "flows": tuple(estimate.flow for estimate in estimates),
            "blends": tuple(estimate.blend[..., ::-1] for estimate in estimates),
            "residual": residual[..., ::-1],
        }
        return carry, prediction

    def estimates(
        self, pair: Image, coarse: tuple[Image, ...], motions: tuple[Image, ...], time: Array
    ) -> list[Estimate]:
        """Estimates after each head, at the size of the pair `[B, 2, H, W, 3]`, coarse to fine."""
        share = jnp.stack([time, 1 - time], axis=1)[..., None, None, None]
        flow = jnp.zeros((*pair.shape[:-1], 2))
        estimates = [Estimate(flow, jnp.zeros_like(pair[:, 0, ..., :1]), pair)]
        for head, appearance, motion in zip(self.heads, coarse[::-1], motions[::-1], strict=True):
            both = [side_by_side(share * motion), side_by_side(appearance)]
            known = jnp.concatenate(both, axis=-1)
            # Shuffled twice by 2: one shuffle by 4 would order channels differently.
            known = ops.pixel_shuffle(ops.pixel_shuffle(known, 2), 2)
            size, last = size_of(known), estimates[-1]
            images, flows = [side_by_side(pair)], []
            if len(estimates) > 1:
                images += [side_by_side(last.warped), last.logit]
                flows = [side_by_side(ops.resize_flow(last.flow, size))]
            seen = ops.resize_bilinear(jnp.concatenate(images, axis=-1), size)
            step = head(jnp.concatenate([known, seen, *flows], axis=-1))
            estimates.append(advance(pair, last, step))
        return estimates[1:]


class Backbone(nn.Module):
    """Features of both frames `[B, 2, H, W, 3]`, at 1 to 1/16 of the resolution, and their motion.

    Attributes:
      width: channels of the finest features.
      depths: number of blocks of each attention stage.
      dtype: type of the convolutions.
    """

    width: int
    depths: tuple[int, int]
    dtype: Any

    @nn.compact
    def __call__(self, pair: Image) -> tuple[tuple[Image, ...], tuple[Image, ...]]:
        """(appearance, motion): `[B, 2, h, w, C]`, finest first, of five levels and of two."""
        x = pair.reshape(-1, *pair.shape[2:])
        convolved = []
        for level in range(CONVOLVED):
            if level:
                x = self._conv(level, 2, f"level{level}_down")(x)
            for index in range(2):
                x = self._conv(level, 1, f"level{level}_conv{index}")(x)
            convolved.append(x)
        features = [x.reshape(*pair.shape[:2], *x.shape[1:]) for x in convolved]
        motions = []
        x = self._across(convolved)
        for index, (depth, motion) in enumerate(zip(self.depths, MOTION, strict=True)):
            level = CONVOLVED + index
            if index:
                x = x.reshape(-1, *x.shape[2:])
                x = self._plain(self.width * 2**level, 3, 2, 1, f"level{level}_embed")(x)
            x = self._norm(EMBEDDING_EPSILON, f"level{level}_embed_norm")(x)
            stage = InterFrameStage(depth, motion, self.dtype, name=f"level{level}_stage")
            tokens = x.reshape(*pair.shape[:2], *x.shape[1:])
            tokens, moved = stage(tokens)
            x = self._norm(EPSILON, f"level{level}_norm")(tokens)
            features.append(x)
            motions.append(moved)
        return tuple(features), tuple(motions)

    def _across(self, convolved):
        """All finer levels at 1/8 resolution, each through dilated convolutions."""
        seen: list[Image] = []
        for level in reversed(range(CONVOLVED)):
            for dilation in range(1, 2 ** (CONVOLVED - 1 - level) + 1):
                stride = 2 ** (CONVOLVED - level)
                conv = self._plain(self.width, 3, stride, dilation, f"across{len(seen)}")
                seen.append(conv(convolved[level]))
        width = self.width * 2**CONVOLVED
        embed = self._plain(width, 1, 1, 1, f"level{CONVOLVED}_embed")
        return embed(jnp.concatenate(seen, axis=-1))

    def _conv(self, level, stride, name):
        return ConvPReLU(
            self.width * 2**level,
            stride,
            self.dtype,
            kernel_init=FAN_OUT,
            bias_init=ZEROS,
            name=name,
        )

    def _plain(self, features, kernel, stride, dilation, name):
        return Conv(
            features,
            kernel,
            stride,
            dilation=dilation,
            dtype=self.dtype,
            kernel_init=FAN_OUT,
            bias_init=ZEROS,
            name=name,
        )

    def _norm(self, epsilon, name):
        return nn.LayerNorm(epsilon=epsilon, use_fast_variance=False, name=name)


class Head(nn.Module):
    """Predicts increments of flow (4 channels) and logit, float32, at the size of its input.

    Attributes:
      width: hidden channels.
      dtype: type of the convolutions.
    """

    width: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        # The last PReLU applies to the output itself, as in the training of the released weights.
        for index, features in enumerate((self.width, self.width, 5)):
            x = ConvPReLU(features, 1, self.dtype, name=f"conv{index}")(x)
        return x.astype(jnp.float32)
