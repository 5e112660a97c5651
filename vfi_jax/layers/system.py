"""Decorator of every system's `__call__`: argument checks, and sharding on any mesh."""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from flax import errors
from flax.core import lift
from flax.linen.transforms import decorator_lift_transform

from vfi_jax import meshes

MISFITS = (
    errors.ScopeCollectionNotFound,
    errors.ScopeParamNotFoundError,
    errors.ScopeParamShapeError,
)


def system(call: Callable[..., dict]) -> Callable[..., dict]:
    """The decorator of a system's `__call__(frames, times, *, targets, train)`.

    It raises a ValueError for frames and times that do not fit the contract and for variables that
    do not fit the model, and broadcasts times of one example over the batch. On a mesh with
    Explicit axes it switches to automatic sharding inside, so that a network may reshape batches
    freely.
    """
    lifted = decorator_lift_transform(_automatic, call, multi_scope=True)

    @functools.wraps(call)
    def checked(self: nn.Module, frames: Any, times: Any, **options: Any) -> dict:
        self.contract.check(frames, times)
        if len(times) != len(frames):
            times = jnp.broadcast_to(times, (len(frames), times.shape[1]))
        chosen = call if meshes.explicit_mesh(frames) is None else lifted
        try:
            return chosen(self, frames, times, **options)
        except MISFITS as error:
            name = type(self).__module__.rpartition(".")[2]
            reason = str(error).partition(" (http")[0]
            raise ValueError(
                f"variables must be those of {name}, as vfi_jax.load and model.init return them: "
                f"{reason}"
            ) from error

    return checked


def _automatic(function, *_):
    def inner(scope_of, repack, variables, keys, frames, times, *, targets=None, **options):
        def run(frames, times, targets, variables):
            scope = scope_of(variables, keys)
            answers = function(scope, frames, times, targets=targets, **options)
            return answers, repack(scope)

        return meshes.automatic(run, frames, times, targets, variables)

    return lift.pack(inner, (True,), (True,), (True,), name="automatic", enable_kwargs=True)
