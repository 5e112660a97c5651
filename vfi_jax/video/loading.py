"""Loads the model of a run."""

import dataclasses
import hashlib
import os
from typing import Any

from vfi_jax import guard, remote
from vfi_jax.video.options import Computing

# Pixels of the longer side, and the fraction of the resolution at which flow is estimated from
# there on. Measured for tween in 4K (docs/systems/tween.md), and the advice of Practical-RIFE's
# README; 8K has twice the motion of 4K.
FLOW_SCALES = ((7680, 0.25), (3840, 0.5))
WIDEST = 3  # sides; of a wider strip, such as 8192x64, a fraction would have no rows left


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A model ready to run.

    Attributes:
      name: name of the system.
      interpolator: an `Interpolator`.
      variables: the model's variables.
      reach: number of input frames before a time that the interpolator may need for it.
      flow_scale: flow scale that was chosen by the size of the frames; 1: the model's own.
    """

    name: str
    interpolator: Any
    variables: Any
    reach: int
    flow_scale: float = 1.0

    def digest(self) -> str:
        """SHA-256 of the weights."""
        import jax
        import numpy as np

        digest = hashlib.sha256()
        for leaf in jax.tree.leaves(self.variables):
            digest.update(np.ascontiguousarray(leaf).tobytes())
        return digest.hexdigest()


def flow_scale_for(width: int, height: int) -> float:
    """Fraction of the resolution at which flow is estimated for frames of a size in pixels.

    Motion in pixels grows with the resolution; networks find only motions as large as in training.
    """
    longer = min(max(width, height), WIDEST * min(width, height))
    return next((scale for least, scale in FLOW_SCALES if longer >= least), 1.0)


def load(computing: Computing, flow_scale: float = 1.0) -> Loaded:
    """Load the model that the options specify.

    Args:
      computing: the options.
      flow_scale: for a model with this option, unless `computing` sets it, has a loaded model or
        the padding of the authors' scripts, whose frames are then reproduced.

    Raises:
      ValueError: unknown model, no weights for it, or an option is out of range.
    """
    import jax.numpy as jnp

    from vfi_jax import registry
    from vfi_jax import weights as library
    from vfi_jax.interpolation import Interpolator, windows

    model, config = computing.model, dict(computing.config)
    if computing.dtype != "float32":
        config["dtype"] = jnp.dtype(computing.dtype)
    if computing.precision != "highest":
        config["precision"] = computing.precision
    if isinstance(model, tuple):
        module, variables = model
    elif computing.weights is not None:
        _check_weights(computing.weights, registry.list_models())
        module, variables = library.load(computing.weights, system=model, **config)
    else:
        model = model or library.DEFAULT
        module, variables = library.load(model, **config)
    chosen: Any = getattr(module, "config", None)
    as_authors = computing.padding != "tight"
    fixed = isinstance(model, tuple) or "flow_scale" in config or as_authors
    if fixed or getattr(chosen, "flow_scale", None) != 1:
        flow_scale = 1.0
    elif flow_scale != 1:
        module = module.clone(config=dataclasses.replace(chosen, flow_scale=flow_scale))
    name = model if isinstance(model, str) else type(module).__module__.rpartition(".")[2]
    interpolator = Interpolator(
        module,
        variables,
        padding=computing.padding,
        ensemble=computing.ensemble,
        tile=computing.tile,
        overlap=computing.overlap,
        memory=None if computing.memory is None else int(computing.memory),
        batch=computing.batch,
        devices=_devices(computing.devices),
    )
    reach = windows.reach(interpolator.contract)
    return Loaded(name, interpolator, variables, reach, flow_scale)


def _devices(given):
    """JAX devices from numbers such as "0,1"; other values are returned unchanged."""
    if not isinstance(given, str):
        return given
    import jax

    known = jax.local_devices()
    numbers = [int(word) if word.isdecimal() else -1 for word in given.split(",")]
    if len(set(numbers)) < len(numbers) or not set(numbers) <= set(range(len(known))):
        names = ", ".join(f"{number} ({device.platform})" for number, device in enumerate(known))
        only_cpu = all(device.platform == "cpu" for device in known)
        way = f"; for an NVIDIA GPU, {guard.way_out('cuda')}" if only_cpu else ""
        raise ValueError(f"devices must be among {names}, each once, got {given!r}{way}")
    return [known[number] for number in numbers]


def _check_weights(weights, known):
    """Raise a ValueError if `weights` is neither a path nor the name of a system."""
    if weights not in known and not remote.path(weights).exists():
        raise ValueError(
            f"weights {os.fspath(weights)!r}: no such file or folder; --model (model=) takes the "
            "name of a system"
        )
