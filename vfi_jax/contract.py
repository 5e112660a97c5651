"""Contracts of systems: which windows `(frames, times) -> frames` accepts."""

import dataclasses
from typing import Any

import numpy as np

WAY_OUT = "vfi_jax.interpolate takes any"


@dataclasses.dataclass(frozen=True)
class Contract:
    """The windows that a model accepts and the times that it predicts.

    Time is counted in input frames: input i of a window is at time i.

    Attributes:
      frames: input frames of a full window.
      times: the times predicted by one call, relative to the window's first frame, ascending; a
        call predicts all of them. None: any times in the open interval (0, frames - 1).
      min_frames: minimum number of frames, for clips shorter than `frames`; default: `frames`.
      scale: output height and width over input height and width.
      multiple: input height and width must be multiples of it.
      flows: the last of the output's "flows", `[B, T, 2, H, W, 2]` pixels, points from the new
        frame to both input frames, for any time including 0, where it is the optical flow.
        The last of "logits", `[B, T, H, W, 1]`, is the logit of the first frame's weight.
      symmetric: reversing the input frames reverses the output, for any weights.

    Raises:
      ValueError: an attribute is out of range.
    """

    frames: int
    times: tuple[float, ...] | None
    min_frames: int = 0
    scale: int = 1
    multiple: int = 1
    flows: bool = False
    symmetric: bool = False

    def __post_init__(self):
        if not self.min_frames:
            object.__setattr__(self, "min_frames", self.frames)
        for name in ("frames", "min_frames", "scale", "multiple"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.min_frames > self.frames:
            raise ValueError(f"min_frames must be at most {self.frames}, got {self.min_frames}")
        if self.times is not None and list(self.times) != sorted(set(self.times)):
            raise ValueError(f"times must ascend without repeats, got {self.times}")

    def times_of(self, count: int) -> tuple[float, ...] | None:
        """The times predicted for a window of `count` frames; None: any inside it."""
        if self.times is None or count == self.frames:
            return self.times
        return tuple(time for time in self.times if time <= count - 1)

    def check(self, frames: Any, times: Any) -> None:
        """Check the arrays of a call.

        Args:
          frames: `[B, N, H, W, 3]` floats.
          times: `[B, T]`, or `[1, T]` for the whole batch.

        Raises:
          ValueError: a shape or type does not fit.
        """
        if len(frames.shape) != 5 or frames.shape[-1] != 3:
            raise ValueError(f"frames must be [B, N, H, W, 3], got {frames.shape}")
        if frames.dtype.kind in "iub":
            raise ValueError(
                f"frames must be floats with white at 1, got {frames.dtype}; {WAY_OUT}"
            )
        batch, count, height, width, _ = frames.shape
        fixed = self.min_frames == self.frames
        if count != self.frames if fixed else count < self.min_frames:
            wanted = self.frames if fixed else f"at least {self.min_frames}"
            raise ValueError(f"frames must be windows of {wanted} frames, got {count}; {WAY_OUT}")
        if height % self.multiple or width % self.multiple:
            raise ValueError(
                f"frames must have a height and width that are multiples of {self.multiple}, "
                f"got {height} and {width}; {WAY_OUT}"
            )
        shape = np.shape(times)
        if len(shape) != 2 or shape[0] not in (1, batch):
            raise ValueError(f"times must be [{batch}, T] to fit frames, got {shape}")


def contract_of(model: Any) -> Contract:
    """The contract of a system.

    Raises:
      ValueError: `model` is not a system.
    """
    contract = getattr(model, "contract", None)
    if not isinstance(contract, Contract):
        raise ValueError(
            "model must be a system, as vfi_jax.load and vfi_jax.create return for a name in "
            f"vfi_jax.list_models(), got {type(model).__module__}.{type(model).__qualname__}"
        )
    return contract
