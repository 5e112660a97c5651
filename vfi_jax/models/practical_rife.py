"""Practical-RIFE 4.x: the RIFE used by video tools, for any time, without refinement."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax.arrays import Frames, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.precision import precision
from vfi_jax.layers.residual_flow import ResidualFlow
from vfi_jax.layers.system import system

BODIES = ("scaled", "plain", "prelu")
LITE = (128, 96, 64, 48)  # channels of the blocks of most "lite" releases


@dataclasses.dataclass(frozen=True)
class Config:
    """The network of one or more releases, of 4.25 and 4.26 by default.

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
      flow_scale: fraction of the resolution at which flow is estimated, such as 0.5 for 4K with
        large motion; the same weights work for all.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is not one of 0.25, 0.5, 1, 2, 4, or `body` is unknown.
    """

    channels: tuple[int, ...] = (192, 128, 96, 64, 32)
    scales: tuple[float, ...] = (16, 8, 4, 2, 1)
    encoder: tuple[int, int, int] | None = (16, 4, 3)
    handed: int = 8
    accumulate: bool = False
    body: str = "scaled"
    groups: int = 1
    unread: int = 0
    limit: float | None = None
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale)
        if self.body not in BODIES:
            raise ValueError(f"body must be one of {BODIES}, got {self.body!r}")


def _of_four(channels=(192, 128, 96, 64), **others):
    return Config(channels=channels, scales=(8, 4, 2, 1), **others)


_EARLY: dict[str, Any] = {"encoder": None, "handed": 0, "accumulate": True}
_MIDDLE: dict[str, Any] = {"handed": 0, "unread": 1}
_LARGE_ENCODER = _of_four(encoder=(32, 8, 3), **_MIDDLE)
VARIANTS = {
    **dict.fromkeys(("4.0", "4.1"), _of_four(body="prelu", limit=32.0, **_EARLY)),
    **dict.fromkeys(("4.2", "4.3", "4.4"), _of_four(body="plain", **_EARLY)),
    "4.5": _of_four(**_EARLY),
    "4.6": _of_four(unread=1, **_EARLY),
    **dict.fromkeys(("4.7", "4.8", "4.9"), _of_four(encoder=(16, 4, 1), **_MIDDLE)),
    **dict.fromkeys(("4.10", "4.11", "4.12", "4.13", "4.14", "4.15"), _LARGE_ENCODER),
    **dict.fromkeys(("4.17", "4.18", "4.19", "4.24"), _LARGE_ENCODER),
    **dict.fromkeys(("4.12.lite", "4.13.lite"), _of_four(LITE, encoder=(32, 4, 3), **_MIDDLE)),
    "4.14.lite": _of_four(encoder=(32, 8, 3), groups=2, **_MIDDLE),
    **dict.fromkeys(("4.15.lite", "4.16.lite", "4.17.lite"), _of_four(LITE, **_MIDDLE)),
    "4.20": _of_four((384, 192, 96, 48), encoder=(32, 8, 3), **_MIDDLE),
    **dict.fromkeys(("4.21", "4.22", "4.23"), _of_four((256, 192, 96, 48), encoder=(32, 8, 3))),
    "4.22.lite": _of_four((192, 128, 64, 32)),
    **dict.fromkeys(("4.25", "4.26"), Config()),
    "4.25.lite": Config(channels=(192, 128, 96, 64, 24), scales=(32, 16, 8, 4, 1)),
    "4.25.heavy": Config(channels=(384, 256, 192, 128, 64)),
    "4.26.heavy": Config(encoder=(16, 16, 3)),
}


class Model(nn.Module):
    """Practical-RIFE (hzwer/Practical-RIFE; no paper).

    frame_t = m frame0(p + flow_t0) + (1 - m) frame1(p + flow_t1)

    As in RIFE, a chain of blocks adds to the flow, each at its own scale, from the frames warped by
    the flow so far. In later releases a block also receives warped features of the frames and
    features of the previous block. There is no residual; the frame is not clipped.

    RGB, as in the authors' inference_video.py, which pads frames with zeros to a multiple of 128
    (`padding="practical-rife"`). Their "ensemble" option, which runs every block on both frame
    orders, is not implemented.

    The output contains, in block order and for every time, "flows" `[B, T, 2, H, W, 2]`, "logits"
    of m `[B, T, H, W, 1]` and "blends" `[B, T, H, W, 3]`.

    Versions 4.0 and 4.1 repeat the prediction at twice their scales if motion is large. The
    original uses the largest motion of the batch; here each example and time is decided separately.

    Source: HolyWu/vs-rife, vsrife/IFNet_HDv3_v4_*.py, ports of the releases' own files.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        coarsest = 4 * int(max(self.config.scales))  # two convolutions halve
        if self.config.limit:
            coarsest *= 2
        multiple = multiple_at(self.config.flow_scale, coarsest)
        return Contract(frames=2, times=None, multiple=multiple)

    def setup(self):
        fields = dataclasses.fields(self.config)
        options = {field.name: getattr(self.config, field.name) for field in fields}
        del options["precision"]
        self.network = ResidualFlow(**options)
        nn.share_scope(self, self.network)  # its parameters belong to this model

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            return self.network(frames, times)
