"""Images of a system's intermediate outputs: motion, depth, kernels, masks."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import draw
from vfi_jax.arrays import Frames, Times
from vfi_jax.evaluation.flows import finest
from vfi_jax.interpolation.padding import crop, named, pad

CELL = 32  # spacing of the drawn kernels in pixels


class Drawn(NamedTuple):
    """How one output of a prediction is drawn.

    Attributes:
      name: name of the image; if several outputs have this name, the first one is drawn.
      caption: description of the image.
      picture: function from `[H, W, C]`, or a pair of them, to uint8 `[H, W, 3]`.
    """

    name: str
    caption: str
    picture: Callable[[Any], np.ndarray]


def _depth(inverse: np.ndarray) -> np.ndarray:
    # Logarithmic, because 1 / depth varies by orders of magnitude; outliers are clipped.
    level = np.log(np.maximum(inverse, np.finfo(np.float32).tiny))
    far, near = (float(np.quantile(level, share)) for share in (0.02, 0.98))
    return draw.greys((level - far).clip(0), largest=max(near - far, 1e-6))


def _separable(pair: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    vertical, horizontal = pair
    return draw.kernel_tiles(vertical[..., :, None] * horizontal[..., None, :], CELL)


def _square(kernel: np.ndarray) -> np.ndarray:
    side = round(kernel.shape[-1] ** 0.5)
    return draw.kernel_tiles(kernel.reshape(*kernel.shape[:-1], side, side), CELL)


def _weight(mask: np.ndarray) -> np.ndarray:
    return draw.greys(mask, largest=1.0)


MOTION = "flow (hue: direction, strength: length)"
KINDS = {
    "flow01": Drawn("flow", f"{MOTION}, frame 0 to 1", draw.flow_colours),
    "flow_t0": Drawn("flow", f"{MOTION}, new frame to frame 0", draw.flow_colours),
    "flows": Drawn("flow", f"{MOTION}, new frame to frame 0", draw.flow_colours),
    "weight0": Drawn("depth", "depth of frame 0 (logarithmic; near is bright)", _depth),
    "kernels1": Drawn("kernels", f"kernels for frame 0, one per {CELL} pixels", _separable),
    "kernel0": Drawn("kernels", f"kernels for frame 0, one per {CELL} pixels", _square),
    "mask": Drawn("mask", "weight of frame 0 (white is 1)", _weight),
    "mask0": Drawn("mask", "mask of frame 0 (white is 1)", _weight),
}


def internals(
    model: nn.Module, variables: Any, frame0: np.ndarray, frame1: np.ndarray
) -> dict[str, tuple[str, np.ndarray]]:
    """Draw the intermediate outputs of a system for the midpoint frame.

    Args:
      model: a system that accepts windows of 2 frames.
      variables: its variables.
      frame0: `[H, W, 3]` RGB in [0, 1].
      frame1: like `frame0`.

    Returns:
      Caption and image, uint8 `[H, W, 3]`, by name: "flow", "depth", "kernels" and "mask", if the
      prediction has them and they are not constant.
    """
    contract = model.contract
    frames = np.stack([frame0, frame1]).astype(np.float32)
    times = jnp.asarray([contract.times_of(2) or (0.5,)], jnp.float32)
    amounts = named("tight").amounts(frames.shape[1:3], multiple=contract.multiple)
    drawn = _predict(model, variables, pad(frames, amounts, "edge")[None], times)
    pictures: dict[str, tuple[str, np.ndarray]] = {}
    for key, kind in KINDS.items():
        if key in drawn and kind.name not in pictures:
            arrays = jax.tree.map(lambda array: crop(np.asarray(array), amounts), drawn[key])
            if any(np.ptp(array) for array in jax.tree.leaves(arrays)):  # skip constant maps
                pictures[kind.name] = kind.caption, kind.picture(arrays)
    return pictures


@jax.jit(static_argnums=0)
def _predict(model: nn.Module, variables: Any, frames: Frames, times: Times) -> dict:
    """The outputs to draw, `[H, W, C]`, by key; XLA removes the rest."""
    prediction: Any = model.apply(variables, frames, times)
    return {key: _values(key, prediction[key]) for key in KINDS if key in prediction}


def _values(key: str, value: Any) -> Any:
    # A pair of separable kernels is not a pyramid.
    if KINDS[key].picture is _separable:
        return tuple(finest(part) for part in value)
    return finest(value)
