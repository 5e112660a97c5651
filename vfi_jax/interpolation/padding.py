"""Padding or resizing frames to a size that a model accepts, and its inverse."""

import dataclasses
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import lookup, ops
from vfi_jax.interpolation import levels


@dataclasses.dataclass(frozen=True)
class Padding:
    """How frames are padded before a model call.

    Attributes:
      to: height and width are padded to multiples of it, then at the right and bottom to the
        model's own multiple.
      align: position of the frame in the padded one: "start" is top left.
      value: "edge" repeats the outermost pixels, "zero" is black; "resize" does not pad but resizes
        the frame bilinearly to that size, and the prediction back.
      before: pixels always added at the left and top.
      after: pixels always added at the right and bottom, before rounding up.
      when_multiple: pixels added on both sides of an axis that is already a multiple of `to`.
      least: minimum height and width.
    """

    to: int = 1
    align: Literal["start", "centre"] = "start"
    value: Literal["edge", "zero", "resize"] = "edge"
    before: int = 0
    after: int = 0
    when_multiple: int = 0
    least: tuple[int, int] = (1, 1)

    def amounts(self, size: tuple[int, int], *, multiple: int = 1) -> "Amounts":
        """Pixels to add around a frame.

        Args:
          size: height and width of the frame.
          multiple: the model's required multiple of height and width.

        Returns:
          ((above, below), (left, right)).
        """
        height, width = size
        return (
            self._axis(height, self.least[0], multiple),
            self._axis(width, self.least[1], multiple),
        )

    def _axis(self, length, least, multiple):
        if self.when_multiple and length % self.to == 0:
            first, total = self.when_multiple, length + 2 * self.when_multiple
        else:
            total = round_up(max(self.before + length + self.after, least), self.to)
            first = (total - length) // 2 if self.align == "centre" else self.before
        return first, round_up(total, multiple) - length - first


Amounts = tuple[tuple[int, int], tuple[int, int]]

# A system's name selects the padding of its original code, to reproduce published numbers; "tight"
# has the same quality at the lowest cost.
PADDINGS: Mapping[str, Padding] = MappingProxyType(
    {
        "tight": Padding(),
        # sniklaus/sepconv-slomo run.py:138-181, "improved" and "paper"; 25 is half of the 51 taps.
        "sepconv": Padding(to=128),
        "sepconv-paper": Padding(to=128, before=25, after=25),
        # baowenbo/DAIN and MEMC-Net, demo_MiddleBury.py.
        "dain": Padding(to=128, align="centre", when_multiple=32),
        # Mukosame/Zooming-Slow-Mo test.py:71-79.
        "zsm": Padding(to=4, value="zero"),
        # hzwer/ECCV2022-RIFE inference_img.py:63-67; benchmark/MiddleBury_Other.py:24-30.
        "rife": Padding(to=32, value="zero"),
        "middlebury-rife": Padding(least=(480, 640), value="zero"),
        # hzwer/Practical-RIFE inference_video.py:193.
        "practical-rife": Padding(to=128, value="zero"),
        # google-research/frame-interpolation, pad_to_align.
        "film": Padding(to=64, align="centre", value="zero"),
        # 98mxr/GMFSS_Fortuna inference_video.py:203-246.
        "gmfss": Padding(to=64, value="resize"),
        # InputPadder of RAFT, used by IFRNet, AMT, EMA-VFI, UPR-Net, each with its own divisor.
        **{f"centred-{to}": Padding(to=to, align="centre") for to in (16, 20, 32, 64)},
    }
)


def named(padding: str | Padding) -> Padding:
    """The padding of a name in `PADDINGS`; a `Padding` is returned unchanged.

    Raises:
      ValueError: the name is unknown.
    """
    if isinstance(padding, Padding):
        return padding
    if padding not in PADDINGS:
        raise ValueError(lookup.unknown("padding", padding, PADDINGS))
    return PADDINGS[padding]


def pad(frames: Any, amounts: Amounts, value: str) -> Any:
    """Frames `[*B, H, W, C]` with `amounts` of pixels around them.

    Args:
      frames: NumPy or JAX array of any type.
      amounts: ((above, below), (left, right)).
      value: "edge", "zero" or "resize", which converts integers to float32 with white at 1.
    """
    if not any(map(any, amounts)):
        return frames
    if value == "resize":
        height, width = (
            side + sum(more) for side, more in zip(_size(frames), amounts, strict=True)
        )
        return _resized(levels.unit(frames), (height, width))
    widths = [(0, 0)] * (frames.ndim - 3) + [*amounts, (0, 0)]
    mode = "edge" if value == "edge" else "constant"
    return (jnp if isinstance(frames, jax.Array) else np).pad(frames, widths, mode=mode)


def crop(frames: Any, amounts: Amounts, *, scale: int = 1, value: str = "edge") -> Any:
    """Frames `[*B, sH, sW, C]` without the padding that `pad` added to their inputs.

    Args:
      frames: NumPy or JAX array.
      amounts: as passed to `pad`.
      scale: output size over input size.
      value: as passed to `pad`.
    """
    (above, below), (left, right) = ((scale * a, scale * b) for a, b in amounts)
    height, width = _size(frames)
    if value == "resize":
        return _resized(frames, (height - above - below, width - left - right))
    return frames[..., above : height - below, left : width - right, :]


def round_up(length: int, multiple: int) -> int:
    """The smallest multiple that is at least `length`."""
    return math.ceil(length / multiple) * multiple


def _size(frames):
    return frames.shape[-3:-1]


def _resized(frames, size):
    out = ops.resize_bilinear(frames, size)
    return out if isinstance(frames, jax.Array) else np.asarray(out)
