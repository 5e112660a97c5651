"""Conversion of upstream arrays to the variables of a model, by the model's mapping."""

import functools
from collections.abc import Mapping
from types import ModuleType

import flax.linen as nn
import numpy as np
from flax.traverse_util import flatten_dict

from vfi_jax import lookup, registry
from vfi_jax.weights import engine, unsupported
from vfi_jax.weights.engine import ConversionError, Shapes
from vfi_jax.weights.rules import Rules
from vfi_jax.weights.torch_file import without_prefix

MAPPINGS = "vfi_jax.weights.mappings"


def convert(
    name: str, state_dict: Mapping[str, np.ndarray], *, notes: list[str] | None = None
) -> dict:
    """Convert the arrays of an original PyTorch file to the variables of a model.

    Exactly one rule of the model's mapping must match each key, and every variable must be filled
    exactly once with the right shape; otherwise it is an error.

    Args:
      name: system, network or variant, such as "sepconv/l1".
      state_dict: arrays by upstream key, as returned by `read_torch`, with or without a common
        prefix such as the "module." of `DataParallel` or an attribute's name.
      notes: list to which a line is appended for each removed prefix and each kind of unused key.

    Returns:
      Variables as nested dicts of float32 NumPy arrays: {"params": ..., "batch_stats": ...}.

    Raises:
      ConversionError: the arrays do not fit; the message lists all faults with both names.
      ValueError: unknown model, or no conversion for it.
    """
    rules = rules_of(name)  # first, so that a wrong name is an error before the model is traced
    state_dict = _unwrapped(rules, without_prefix(state_dict, notes), notes)
    return engine.apply(rules, state_dict, shapes_of(registry.create(name)), name=name, notes=notes)


def recognise(state_dict: Mapping[str, np.ndarray], *, system: str = "") -> str:
    """Recognise the model of an upstream file from its keys and shapes.

    Variants of equal architecture return the system's name, or the first of them.

    Args:
      state_dict: arrays by upstream key.
      system: try only its variants; default: all systems.

    Raises:
      ValueError: it fits no convertible model.
    """
    state_dict = without_prefix(state_dict)
    tried: list = []
    for name in convertible():
        config = registry.create(name).config
        if (system and registry.split(name)[0] != system) or config in tried:
            continue
        tried.append(config)
        if not _could_be(name, state_dict):
            continue
        try:
            convert(name, state_dict)
        except ConversionError:
            continue
        return name
    if words := unsupported.kind(state_dict):
        raise ValueError(words)
    raise ValueError(
        f"no model has these weights (keys like {engine.some(state_dict, 2)}); "
        f"name their system, one of: {', '.join(lookup.modules(MAPPINGS))}"
    )


def alike(name: str) -> list[str]:
    """The variants of a system with the same network as `name`, which files cannot distinguish."""
    system, config = registry.split(name)[0], registry.create(name).config
    names = (*registry.list_models(), *registry.list_networks())
    return [
        other
        for other in names
        if registry.split(other)[0] == system and registry.create(other).config == config
    ]


def title(name: str) -> str:
    """The common name of a model, from its mapping if defined there."""
    variant = registry.split(name)[1]
    words = getattr(mapping_of(name), "TITLE", "")
    return f"{words} {variant}" if words and variant else name


def _could_be(name, state_dict):
    """Whether the rules match every key, do not drop all of them, and widths agree."""
    rules, mapping = rules_of(name), mapping_of(name)
    state_dict = _unwrapped(rules, state_dict)
    known = [next((rule for rule in rules if rule.match(key)), None) for key in state_dict]
    if None in known or not any(rule.path is not None for rule in known):
        return False
    config = registry.create(name).config
    return mapping.suits(config, state_dict) if hasattr(mapping, "suits") else True


def _unwrapped(rules, state_dict, notes=None):
    """Remove a common prefix of all keys if the rules match no key with it."""
    while not any(rule.match(key) for key in state_dict for rule in rules):
        prefixes = {key.partition(".")[0] + "." for key in state_dict}
        if len(prefixes) != 1 or not all("." in key for key in state_dict):
            break
        (prefix,) = prefixes
        state_dict = {key.removeprefix(prefix): array for key, array in state_dict.items()}
        if notes is not None:
            notes.append(f"removed {prefix!r} from every key")
    return state_dict


def convertible() -> list[str]:
    """Names of all systems, networks and variants with a conversion."""
    return [name for name in (*registry.list_models(), *registry.list_networks()) if _rules(name)]


def mapping_of(name: str) -> ModuleType:
    """The module that maps upstream keys to the variables of `name`.

    Raises:
      ValueError: there is none.
    """
    return lookup.module(MAPPINGS, registry.split(name)[0], kind="conversion")


def rules_of(name: str) -> Rules:
    """The rule table of a model: `rules(config)` of its mapping, or `RULES` if one fits all
    configs.

    Raises:
      ValueError: unknown model, or no conversion for it.
    """
    mapping = mapping_of(name)
    config = registry.create(name).config
    return mapping.rules(config) if hasattr(mapping, "rules") else mapping.RULES


def _rules(name):
    """The rule table of a model; empty if no weights were released."""
    if registry.split(name)[0] not in lookup.modules(MAPPINGS):
        return ()
    try:
        return rules_of(name)
    except ValueError:
        return ()


def check(name: str, model: nn.Module, variables: dict) -> None:
    """Check stored variables against a model; variables used only in training are allowed.

    Raises:
      ConversionError: a variable is missing, has the wrong shape, or is unknown to the model.
    """
    training = functools.partial(shapes_of, model, train=True)
    engine.check(name, shapes_of(model), variables, training)


def shapes_of(model: nn.Module, *, train: bool = False) -> Shapes:
    """Shape of each variable of a model or network by path; `train` includes training variables."""
    variables = registry.abstract_variables(model, train=train)
    return {path: leaf.shape for path, leaf in flatten_dict(variables).items()}
