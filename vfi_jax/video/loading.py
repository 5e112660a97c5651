"""The model that computes a video's frames."""

import dataclasses
import hashlib
import os
from typing import Any

from vfi_jax import remote
from vfi_jax.video.options import Computing


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A model that is ready to run.

    Attributes:
      name: of its system.
      interpolator: an `Interpolator`.
      variables: its weights.
      reach: input frames before a time that the interpolator may need for it.
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
    """The model that options ask for.

    Raises:
      ValueError: there is no such model, or it has no weights here; or an option is out of range.
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
    """Refuses what is neither a path nor the name of a system."""
    if weights not in known and not remote.path(weights).exists():
        raise ValueError(
            f"weights {os.fspath(weights)!r}: there is no such file or folder; --model (model=) "
            "takes the name of a system"
        )
