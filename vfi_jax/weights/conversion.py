"""Applying a mapping: from upstream arrays by key to the variables of a model."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import numpy as np

from vfi_jax import lookup, registry
from vfi_jax.weights.rules import Rule, Rules

MAPPINGS = "vfi_jax.weights.mappings"
SHOWN = 5  # faults of each kind that a message lists; the rest are counted

Target = dict[tuple[str, ...], tuple[int, ...]]  # path of a variable: its shape


class ConversionError(ValueError):
    """A state dict does not fit a model; the message lists every kind of fault at once.

    Attributes:
      faults: all of them, one line each, by kind.
    """

    def __init__(self, name: str, faults: Mapping[str, list[str]]):
        self.faults = {kind: lines for kind, lines in faults.items() if lines}
        counts = ", ".join(f"{len(lines)} {kind}" for kind, lines in self.faults.items())
        shown = [f"  {kind}: {_some(lines)}" for kind, lines in self.faults.items()]
        super().__init__("\n".join([f"the weights do not fit {name}: {counts}", *shown]))


def convert(
    name: str, state_dict: Mapping[str, np.ndarray], *, notes: list[str] | None = None
) -> dict:
    """The variables of a model from the arrays of its original PyTorch file.

    Every key is used by exactly one rule of the model's mapping and every variable is filled
    exactly once, with the right shape; otherwise nothing is returned.

    Args:
      name: system, network or variant, such as "sepconv/l1".
      state_dict: arrays by upstream key, as `read_torch` gives them.
      notes: gets a line for each kind of key that has no counterpart here and was left out.

    Returns:
      Variables as nested dicts of float32 NumPy arrays: {"params": ..., "batch_stats": ...}.

    Raises:
      ConversionError: the arrays do not fit; the message names keys and variables of all faults.
      ValueError: no such model, or no conversion for it.
    """
    model = registry.create(name)
    return apply(rules_of(name), state_dict, registry.abstract_variables(model), name, notes=notes)


def recognise(state_dict: Mapping[str, np.ndarray]) -> str:
    """The system or network that an upstream file belongs to, from its keys and shapes.

    Variants that share an architecture answer to the system's own name.

    Raises:
      ValueError: it fits none of those that can be converted.
    """
    for name in convertible():
        if _unmatched(rules_of(name), state_dict):
            continue
        try:
            convert(name, state_dict)
        except ConversionError:
            continue
        return name
    known = ", ".join(lookup.modules(MAPPINGS))
    raise ValueError(
        f"these weights fit no model as they are (keys like {_some(list(state_dict), 2)}); "
        f"name the one that they belong to: {known}"
    )


def convertible() -> list[str]:
    """Names of all systems, networks and variants that upstream weights can be converted for."""
    systems = lookup.modules(MAPPINGS)
    names = (*registry.list_models(), *registry.list_networks())
    return [name for name in names if registry.split(name)[0] in systems]


def mapping_of(name: str) -> Any:
    """The module that maps upstream keys to the variables of `name`.

    Raises:
      ValueError: there is none.
    """
    return lookup.module(MAPPINGS, registry.split(name)[0], kind="conversion")


def rules_of(name: str) -> Rules:
    """The table of a model: its mapping's `rules(config)`, or `RULES` where it is always the same.

    Raises:
      ValueError: no such model, or no conversion for it.
    """
    mapping = mapping_of(name)
    if hasattr(mapping, "rules"):
        return mapping.rules(registry.create(name).config)
    return mapping.RULES


def apply(
    rules: Rules,
    state_dict: Mapping[str, np.ndarray],
    target: dict,
    name: str,
    *,
    notes: list[str] | None = None,
) -> dict:
    """The variables that a table makes of a state dict.

    Args:
      rules: the table.
      state_dict: arrays by upstream key.
      target: shapes to fill, as `registry.abstract_variables` gives them.
      name: of the model, for messages.
      notes: gets a line for each kind of key that was left out.

    Returns:
      Nested dicts of float32 arrays, structured as `target`.

    Raises:
      ConversionError: unknown keys, missing or doubly filled variables, other shapes.
    """
    shapes = shapes_of(target)
    faults: dict[str, list[str]] = {
        kind: [] for kind in ("unknown", "ambiguous", "doubled", "missing", "of another shape")
    }
    filled: dict[tuple[str, ...], list[tuple[Rule, int, str, np.ndarray]]] = {}
    dropped: dict[str, list[str]] = {}
    for key, array in state_dict.items():
        matches = [(rule, match) for rule in rules if (match := rule.match(key))]
        if len(matches) != 1:
            kind = "ambiguous" if matches else "unknown"
            patterns = " and ".join(rule.pattern for rule, _ in matches)
            faults[kind].append(f"{_shown(key, array)}{' matches ' if matches else ''}{patterns}")
            continue
        ((rule, match),) = matches
        if rule.path is None:
            dropped.setdefault(rule.pattern, []).append(key)
            continue
        path = (rule.collection, *match.expand(rule.path).split("/"))
        if path not in shapes:
            faults["unknown"].append(f"{_shown(key, array)} (there is no {_joined(path)})")
            continue
        layer = int(match["layer"]) if rule.stack else 0
        filled.setdefault(path, []).append((rule, layer, key, array))
    arrays = {}
    for path, shape in shapes.items():
        if path in filled:
            arrays[path] = _fill(filled[path], path, shape, faults)
        else:
            faults["missing"].append(f"{_joined(path)} {list(shape)}{_origin(rules, path)}")
    if any(faults.values()):
        raise ConversionError(name, faults)
    if notes is not None:
        notes += [f"left out: {_some(keys, 3)}" for keys in dropped.values()]
    return _nested(arrays)
