"""Systems and networks by name: `<file>` or `<file>/<variant>`."""

import dataclasses
import functools
import warnings
from types import ModuleType
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import lookup

MODELS = "vfi_jax.models"
NETWORKS = "vfi_jax.networks"
NEEDS = ("Config", "VARIANTS", "Model")  # of the module of a system
RENAMED = {"rife/small": "shared_pyramid"}  # old names, removed in the next release


def list_models() -> list[str]:
    """Names of all systems and their variants, sorted.

    Returns:
      Names for `create`, such as "sepconv" and "sepconv/l1".
    """
    return _names(MODELS)


def list_networks() -> list[str]:
    """Names of the networks used by systems (flow, depth, features) and their variants.

    Returns:
      Names for `create`, such as "pwc_net".
    """
    return _names(NETWORKS)


def create(name: str, **overrides: Any) -> nn.Module:
    """Create a model or network, without variables.

    Args:
      name: "<system>" (the paper's main model) or "<system>/<variant>".
      **overrides: fields of its Config to replace; lists become tuples.

    Returns:
      The Flax module.

    Raises:
      ValueError: unknown system, variant or field, or a value of an unsupported type.
    """
    system, variant = split(name)
    found = definition(system)
    if variant not in ("", *found.VARIANTS):
        known = [f"{system}/{known}" for known in found.VARIANTS]
        raise ValueError(lookup.unknown("variant", name, [system, *known]))
    config = found.VARIANTS[variant] if variant else found.Config()
    fields = [field.name for field in dataclasses.fields(config)]
    for field in overrides:
        if field not in fields:
            raise ValueError(lookup.unknown(f"option of {name}", field, fields))
    overrides = {field: _hashable(name, field, value) for field, value in overrides.items()}
    return found.Model(dataclasses.replace(config, **overrides))


def split(name: str) -> tuple[str, str]:
    """(system, variant) of a name; the variant is "" if the name has none.

    An old name in `RENAMED` returns those of the new name, with a FutureWarning.
    """
    if name in RENAMED:
        new = RENAMED[name]
        warnings.warn(
            f"{name} is now called {new}; the next release removes the old name",
            FutureWarning,
            stacklevel=3,
        )
        name = new
    system, _, variant = name.partition("/")
    return system, variant


def definition(system: str) -> ModuleType:
    """The module that defines `system`, with Config, VARIANTS and Model.

    Raises:
      ValueError: unknown system or network.
    """
    known = lookup.modules(MODELS)
    if system in known:
        return lookup.module(MODELS, system, kind="model", needs=NEEDS)
    networks = lookup.modules(NETWORKS)
    if system in networks:
        return lookup.module(NETWORKS, system, kind="network")
    raise ValueError(lookup.unknown("model", system, [*known, *networks]))


def example_inputs(
    model: nn.Module, *, train: bool = False, size: tuple[int, int] | None = None
) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes of the smallest call of `model`, as keyword arguments of its `__call__`.

    Args:
      model: a system (it has a contract) or a network (it has `example_inputs`).
      train: include targets, as in training.
      size: height and width, multiples of the contract's; default: the smallest possible size.
        Networks have their own.
    """
    if not hasattr(model, "contract"):
        return dict(model.example_inputs)
    contract = model.contract
    height, width = size or (max(contract.multiple, 16),) * 2
    count = 1 if contract.times is None else len(contract.times)
    shapes = {"frames": (1, contract.frames, height, width, 3), "times": (1, count)}
    if train:
        scale = contract.scale
        shapes["targets"] = (1, count, scale * height, scale * width, 3)
    return {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in shapes.items()}


def abstract_variables(model: nn.Module, *, train: bool = False) -> dict:
    """Shapes and types of a model's variables, without computing them.

    Args:
      model: a system or a network.
      train: include variables used only in training (RIFE's teacher).

    Returns:
      Nested dict of `jax.ShapeDtypeStruct`, as `model.init` would return arrays.
    """
    return jax.tree.map(lambda leaf: leaf, _abstract_variables(model, train))  # a copy


@functools.lru_cache(maxsize=64)
def _abstract_variables(model, train):
    # Tracing a system takes seconds, and many callers need the shapes of the same few.
    inputs = example_inputs(model, train=train)
    return jax.eval_shape(lambda key: model.init(key, **_zeros(inputs)), jax.random.key(0))


def count_parameters(variables: dict) -> int:
    """Number of trainable parameters: the total size of the "params" collection.

    Args:
      variables: arrays or `jax.ShapeDtypeStruct`.
    """
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(variables.get("params", {})))


def _hashable(name, field, value):
    """`value` as a hashable value, because Flax compares and hashes modules by their configs."""
    if isinstance(value, list):
        return tuple(_hashable(name, field, item) for item in value)
    try:
        hash(value)
    except TypeError:
        raise ValueError(f"{field} of {name} cannot be {value!r}") from None
    return value


def _zeros(inputs):
    return {name: jnp.zeros(spec.shape, spec.dtype) for name, spec in inputs.items()}


def _names(package):
    names = []
    for system in lookup.modules(package):
        variants = lookup.module(package, system, kind="model", needs=NEEDS).VARIANTS
        names += [system, *(f"{system}/{variant}" for variant in variants)]
    return sorted(names)
