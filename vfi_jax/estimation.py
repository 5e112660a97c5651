"""Optical flow and depth of frames of any size, from the networks used by the systems."""

from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import lookup, ops, registry, weights
from vfi_jax.arrays import Flow, Image
from vfi_jax.interpolation import levels
from vfi_jax.interpolation.padding import Padding, pad

FLOW_NETWORK = "shared_pyramid"  # included in the package; also the default of `vfi-jax flow`
PAIR = ("frame0", "frame1")  # inputs of a flow network
ENLARGED = Padding(value="resize")
Network = str | Path | tuple[nn.Module, dict]


def flow(frame0: Any, frame1: Any, *, network: Network = FLOW_NETWORK) -> np.ndarray:
    """Optical flow from frame 0 to frame 1.

    Frames are resized to the next multiples required by the network, and the flow is resized back,
    as PWC-Net's authors do; there is no padding.

    Args:
      frame0: `[*B, H, W, 3]` RGB: uint8, uint16, or floats in [0, 1].
      frame1: like `frame0`.
      network: the name of a flow network or a path to its weights (loaded at every call), or
        (model, variables) from `vfi_jax.load`. Also a system whose contract has flows: the default
        is included in the package.

    Returns:
      `[*B, H, W, 2]` float32 pixels, (x, y).

    Raises:
      ValueError: the frames' shapes differ, or it is not a flow network.
      FileNotFoundError: the network's weights are not on this machine.
    """
    first, second = _frames(frame0, "frame0"), _frames(frame1, "frame1")
    if first.shape != second.shape:
        raise ValueError(f"frame1 must be {first.shape} like frame0, got {second.shape}")
    model, variables = _load(network, PAIR)
    out = _flow(model, variables, _batch(first), _batch(second))
    return np.asarray(out).reshape(*first.shape[:-1], 2)


def depth(frame: Any, *, network: Network = "megadepth") -> np.ndarray:
    """Depth of each pixel, up to a factor.

    Args:
      frame: `[*B, H, W, 3]` RGB: uint8, uint16, or floats in [0, 1].
      network: a depth network, as in `flow`.

    Returns:
      `[*B, H, W, 1]` float32, positive.

    Raises:
      ValueError: it is not a frame, or not a depth network.
      FileNotFoundError: the network's weights are not on this machine.
    """
    frame = _frames(frame, "frame")
    model, variables = _load(network, ("frame",))
    out = _depth(model, variables, _batch(frame))
    return np.asarray(out).reshape(*frame.shape[:-1], 1)


@jax.jit(static_argnums=0)
def _flow(model: Any, variables: dict, frame0: Image, frame1: Image) -> Flow:
    height, width = frame0.shape[-3:-1]
    pair = [_fitted(frame, _multiple(model)) for frame in (frame0, frame1)]
    if _interpolates(model):
        times = jnp.zeros((len(frame0), 1))
        out = model.apply(variables, jnp.stack(pair, axis=1), times)["flows"][-1][:, 0, 1]
    else:
        out = model.apply(variables, *pair)["flow"]
    return ops.resize_flow(out, (height, width))


@jax.jit(static_argnums=0)
def _depth(model: Any, variables: dict, frame: Image) -> Image:
    height, width = frame.shape[-3:-1]
    log_depth = model.apply(variables, _fitted(frame, _multiple(model)))["log_depth"]
    return jnp.exp(ops.resize_bilinear(log_depth, (height, width)))


def _interpolates(model: Any) -> bool:
    """Whether it is a system with flows from any time; from time 0 they are flows from frame 0."""
    return hasattr(model, "contract") and model.contract.flows


def _multiple(model: Any) -> int:
    return model.contract.multiple if _interpolates(model) else model.multiple


def _fitted(frame: Image, multiple: int) -> Image:
    """The frame as float32, resized up to the network's required multiple."""
    height, width = frame.shape[-3:-1]
    amounts = ENLARGED.amounts((height, width), multiple=multiple)
    return pad(levels.unit(frame), amounts, ENLARGED.value)


def _frames(value: Any, name: str) -> np.ndarray:
    array = np.asarray(value)
    if array.ndim < 3 or array.shape[-1] != 3:
        raise ValueError(f"{name} must be [*B, H, W, 3] RGB, got {array.shape}")
    levels.check(array.dtype, name)
    return array


def _batch(frame: np.ndarray) -> np.ndarray:
    return frame.reshape(-1, *frame.shape[-3:])


def _load(network: Network, inputs: tuple[str, ...]) -> tuple[nn.Module, dict]:
    """The network and its variables, after checking its inputs."""

    def fits(model: Any) -> bool:
        if _interpolates(model):
            return inputs == PAIR
        return tuple(getattr(model, "example_inputs", ())) == inputs and hasattr(model, "multiple")

    if isinstance(network, (str, Path)):
        names = [*registry.list_networks(), *registry.list_models()]
        known = [name for name in names if fits(registry.create(name))]
        if network not in known and not Path(network).exists():
            raise ValueError(lookup.unknown("network", str(network), known))
        model, variables = weights.load(network)
    else:
        model, variables = network
    if not fits(model):
        raise ValueError(f"network must take {' and '.join(inputs)}, got {type(model)}")
    return model, variables
