"""Evaluation samples from clips."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from vfi_jax.data.clip import Clip, Frame, read_frame, read_frames
from vfi_jax.data.degrade import degrade
from vfi_jax.evaluation import Protocol, Sample

SPAN = 6  # distance of windows that share a frame: Zooming Slow-Mo uses complete windows of 7


def samples(clips: Iterable[Clip], protocol: Protocol, *, scale: int = 1) -> Iterator[Sample]:
    """Yield one sample per clip; pixels are read lazily.

    Args:
      clips: clips of a data set.
      protocol: defines the input frames.
      scale: the model's scale: ratio of target to input size.

    Raises:
      ValueError: a clip has no target frame, or frames of different sizes.
    """
    for clip in clips:
        choose = _every_second if protocol.select == "every second" else _ends
        inputs, targets, times = choose(clip)
        if not targets:
            raise ValueError(f"clip {clip.name} of {len(clip.frames)} frames has no target frame")
        yield Sample(
            name=clip.name,
            frames=_inputs(clip, inputs, scale),
            times=times,
            targets=_stack(clip, clip.frames, targets),
            mask=None if clip.mask is None else _mask(clip.mask),
        )


def _ends(clip):
    inputs = clip.inputs or (0, len(clip.frames) - 1)
    targets = [index for index in range(len(clip.frames)) if index not in inputs]
    first, gap = inputs[0], inputs[1] - inputs[0]
    return inputs, targets, tuple(Fraction(index - first, gap) for index in targets)


def _every_second(clip):
    # Frames after the last complete window are not scored; of Vid4's 171, 160 are.
    count = (len(clip.frames) - 1) // SPAN * SPAN + 1
    targets = range(count) if count > 1 else ()
    return range(0, count, 2), targets, tuple(Fraction(index, 2) for index in targets)


def _inputs(clip, indices, scale):
    if scale > 1 and clip.low:
        return _stack(clip, clip.low, indices)
    frames = _stack(clip, clip.frames, indices)
    if scale == 1:
        return frames
    small = degrade(frames / np.float32(255), scale)
    return np.rint(255 * small).astype(np.uint8)


def _stack(clip: Clip, frames: Sequence[Frame], indices: Iterable[int]) -> np.ndarray:
    return read_frames(clip, [frames[index] for index in indices])


def _mask(frame: Frame) -> np.ndarray:
    return (read_frame(frame)[..., :1] > 127).astype(np.float32)
