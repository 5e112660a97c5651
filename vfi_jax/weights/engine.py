"""Applies a rule table: every key and every variable exactly once, or a report of all faults."""

import collections
import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from vfi_jax.weights.rules import Rule, Rules

SHOWN = 5  # faults of each kind listed in a message; the rest are counted

Path = tuple[str, ...]  # path of a variable, starting with its collection
Shapes = dict[Path, tuple[int, ...]]


class ConversionError(ValueError):
    """Arrays do not fit a model. The message has one line per kind of fault.

    Attributes:
      faults: all faults by kind, in words.
    """

    def __init__(self, name: str, faults: Mapping[str, list[str]], advice: str = ""):
        self.faults = {kind: found for kind, found in faults.items() if found}
        counts = ", ".join(f"{len(found)} {kind}" for kind, found in self.faults.items())
        lists = [f"  {kind}: {some(found)}" for kind, found in self.faults.items()]
        lists += [f"  {advice}"] if advice else []
        super().__init__("\n".join([f"the weights do not fit {name}: {counts}", *lists]))


def apply(
    rules: Rules,
    state_dict: Mapping[str, np.ndarray],
    shapes: Shapes,
    *,
    name: str,
    notes: list[str] | None = None,
) -> dict:
    """Convert a state dict to variables with a rule table.

    Args:
      rules: the rule table.
      state_dict: arrays by upstream key.
      shapes: shapes of the variables to fill, from `shapes_of`.
      name: name of the model, for messages.
      notes: list to which a line is appended for each rule that dropped keys.

    Returns:
      Nested dicts of float32 arrays.

    Raises:
      ConversionError: the arrays do not fit.
    """
    faults: dict[str, list[str]] = collections.defaultdict(list)
    sources, dropped = _assign(rules, state_dict, shapes, faults)
    variables: dict[Path, Any] = {}
    for path, shape in shapes.items():
        if path not in sources:
            faults["missing"].append(f"{_name(path)} {_dims(shape)}{_origin(rules, path)}")
        else:
            variables[path] = _join(sources[path], path, shape, faults)
    if faults:
        raise ConversionError(name, faults)
    if notes is not None:
        notes += [f"ignored {len(keys)} unused keys: {some(keys)}" for keys in dropped]
    return unflatten_dict(variables)


def check(name: str, shapes: Shapes, variables: dict, training: Callable[[], Shapes]) -> None:
    """Check stored variables against the shapes of a model.

    Args:
      name: name of the model, for messages.
      shapes: shapes of the required variables.
      variables: nested dicts of arrays.
      training: returns the shapes including training variables, which are allowed too.

    Raises:
      ConversionError: a variable is missing, has the wrong shape, or is unknown to the model.
    """
    stored = {path: np.shape(leaf) for path, leaf in flatten_dict(variables).items()}
    missing = [
        f"{_name(path)} {_dims(shape)}" for path, shape in shapes.items() if path not in stored
    ]
    misshapen = [
        f"{_name(path)} {_dims(stored[path])} for {_dims(shape)}"
        for path, shape in shapes.items()
        if stored.get(path, shape) != shape
    ]
    spare = stored.keys() - shapes.keys()
    known = training() if spare else {}
    unknown = [f"{_name(path)} {_dims(stored[path])}" for path in sorted(spare - known.keys())]
    faults = {"missing": missing, "of another shape": misshapen, "unknown": unknown}
    if any(faults.values()):
        raise ConversionError(name, faults)


@dataclasses.dataclass(frozen=True)
class _Source:
    """One upstream array for a variable, or for one layer of a stacked variable."""

    rule: Rule
    key: str
    layer: int
    array: np.ndarray

    def __str__(self):
        return f"{self.key} {_dims(self.array.shape)}"


def _assign(rules, state_dict, shapes, faults):
    """Upstream arrays by the variable that they fill, and lists of dropped keys."""
    sources, dropped = collections.defaultdict(list), collections.defaultdict(list)
    for key, array in state_dict.items():
        hits = [(rule, match) for rule in rules if (match := rule.match(key))]
        if not hits:
            faults["unknown"].append(f"{key} {_dims(array.shape)}")
            continue
        if len(hits) > 1:
            faults["matched twice"].append(f"{key} by {' and '.join(r.pattern for r, _ in hits)}")
            continue
        rule, match = hits[0]
        if rule.path is None:
            dropped[rule.pattern].append(key)
            continue
        source = _Source(rule, key, int(match["layer"]) - rule.first if rule.stack else 0, array)
        path = (rule.collection, *match.expand(rule.path).split("/"))
        if path in shapes:
            sources[path].append(source)
        else:
            faults["unknown"].append(f"{source} for {_name(path)}, which the model lacks")
    return sources, list(dropped.values())


def _join(sources, path, shape, faults):
    """The value of one variable; None after a fault."""
    sources = sorted(sources, key=lambda source: source.layer)
    stack = sources[0].rule.stack
    layers = [source.layer for source in sources]
    if len(set(layers)) < len(layers):
        keys = " and ".join(source.key for source in sources)
        faults["filled twice"].append(f"{_name(path)} by {keys}")
        return None
    absent = sorted(set(range(shape[0])) - set(layers)) if stack else []
    if absent:
        faults["missing"].append(f"layers {absent} of {_name(path)}, next to {sources[0].key}")
        return None
    for source in sources:
        if fault := _fault(source.array):
            faults[fault].append(f"{source} for {_name(path)}")
            return None
    wanted = shape[1:] if stack else shape
    values = [_changed(source) for source in sources]
    for source, value in zip(sources, values, strict=True):
        if value is None or value.shape != wanted or source.layer >= (shape[0] if stack else 1):
            faults["of another shape"].append(f"{source} for {_name(path)} {_dims(shape)}")
            return None
    return np.stack(values) if stack else values[0]


def _fault(array):
    """Why an array of any shape cannot be weights; "" if it can."""
    if not jnp.issubdtype(array.dtype, jnp.floating):
        return f"of type {array.dtype}"
    with np.errstate(over="ignore"):
        return "" if np.isfinite(array.astype(np.float32)).all() else "not finite"


def _changed(source):
    """The array in our layout, or None if it has too few axes for its rule."""
    try:
        return np.ascontiguousarray(source.rule.change(source.array), np.float32)
    except (ValueError, IndexError):
        return None


def _origin(rules, path):
    """The upstream keys that would fill `path`, for a message."""
    for rule in rules:
        if rule.path is None or rule.collection != path[0]:
            continue
        template = re.sub(r"\\\\\d", ".+", re.escape(rule.path))
        if re.fullmatch(template, "/".join(path[1:])):
            return " from " + rule.pattern.replace("\\.", ".")
    return ""


def _name(path):
    return "/".join(path[1:] if path[0] == "params" else path)


def _dims(shape):
    return f"[{', '.join(map(str, shape))}]"


def some(items: Iterable[str], count: int = SHOWN) -> str:
    """The first items and the number of others, for a message."""
    items = list(items)
    more = f" and {len(items) - count} more" if len(items) > count else ""
    return "; ".join(items[:count]) + more
