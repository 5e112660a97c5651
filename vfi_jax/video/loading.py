"""Loads the model of a run."""

import dataclasses
import hashlib
import os
from typing import Any

from vfi_jax import remote
from vfi_jax.video.options import Computing


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A model ready to run.

    Attributes:
      name: name of the system.
      interpolator: an `Interpolator`.
      variables: the model's variables.
      reach: number of input frames before a time that the interpolator may need for it.
    """

    name: str
    interpolator: Any
    variables: Any
    reach: int

    def digest(self) -> str:
        """SHA-256 of the weights."""
        import jax
        import numpy as np

        digest = hashlib.sha256()
        for leaf in jax.tree.leaves(self.variables):
            digest.update(np.ascontiguousarray(leaf).tobytes())
        return digest.hexdigest()


def load(computing: Computing) -> Loaded:
    """Load the model that the options specify.

    Raises:
      ValueError: unknown model, no weights for it, or an option is out of range.
    """
    from vfi_jax import registry
    from vfi_jax import weights as library
    from vfi_jax.interpolation import Interpolator, windows

    model, config = computing.model, computing.config
    if isinstance(model, tuple):
        module, variables = model
    elif computing.weights is not None:
        _check_weights(computing.weights, registry.list_models())
        module, variables = library.load(computing.weights, system=model, **config)
    else:
        model = model or library.DEFAULT
        module, variables = library.load(model, **config)
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
        devices=computing.devices,
    )
    return Loaded(name, interpolator, variables, windows.reach(interpolator.contract))


def _check_weights(weights, known):
    """Raise a ValueError if `weights` is neither a path nor the name of a system."""
    if weights not in known and not remote.path(weights).exists():
        raise ValueError(
            f"weights {os.fspath(weights)!r}: no such file or folder; --model (model=) takes the "
            "name of a system"
        )
