"""Visualisation of a model's flow."""

from typing import Any

import cv2
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import draw
from vfi_jax.evaluation.score import Sample
from vfi_jax.interpolation.padding import crop, named, pad

# Names of flow outputs in order of preference: from frame 0 to frame 1; from the new frame to frame
# 0; from the new frame to both frames at every level, finest last.
KEYS = ("flow01", "flow_t0", "flows")
WIDEST = 640  # pixels; larger frames are downscaled first to save memory


def flow_picture(model: nn.Module, variables: Any, sample: Sample) -> np.ndarray | None:
    """The flow of a model's prediction in the Middlebury colour code.

    Taken from the model's outputs, under one of the names in `KEYS`.

    Args:
      model: a system.
      variables: its variables.
      sample: its first window is used, at the first time that the model can predict.

    Returns:
      `[H, W, 3]` uint8, at most 640 wide; None if the model has no flow.
    """
    contract = model.contract
    count = min(contract.frames, len(sample.frames))
    times = contract.times_of(count) or (float(sample.times[0]) % (count - 1) or 0.5,)
    frames = np.stack([_shrunk(frame) for frame in sample.frames[:count]])
    amounts = named("tight").amounts(frames.shape[1:3], multiple=contract.multiple)
    padded = pad(frames.astype(np.float32) / np.float32(255), amounts, "edge")[None]
    shapes = jax.eval_shape(model.apply, variables, padded, jnp.asarray([times]))
    key = next((key for key in KEYS if key in shapes), None)
    if key is None:
        return None
    flow = _field(model, key, variables, padded, jnp.asarray([times], jnp.float32))
    return draw.flow_colours(crop(np.asarray(flow), amounts))


@jax.jit(static_argnums=(0, 1))
def _field(model, key, variables, frames, times):
    """The flow `[H, W, 2]`; XLA removes the computation that only the frame needs."""
    return finest(model.apply(variables, frames, times)[key])


def finest(value: Any) -> Any:
    """`[H, W, C]`: the last level of a pyramid, at index 0 of every leading axis."""
    array = value[-1] if isinstance(value, tuple | list) else value
    return array.reshape(-1, *array.shape[-3:])[0]


def _shrunk(frame):
    height, width = frame.shape[:2]
    if width <= WIDEST:
        return frame
    size = WIDEST, round(height * WIDEST / width)
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
