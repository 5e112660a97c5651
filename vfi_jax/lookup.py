"""Registries of modules: a folder of modules is a registry."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType


def modules(package: str) -> list[str]:
    """Names of the modules in the folder of `package`, sorted, without importing them.

    Args:
      package: dotted name, such as "vfi_jax.models".
    """
    paths = importlib.import_module(package).__path__
    return sorted(info.name for info in pkgutil.iter_modules(paths) if info.name[0] != "_")


def module(package: str, name: str, *, kind: str) -> ModuleType:
    """The module `name` of `package`.

    Args:
      package: dotted name.
      name: name of the module in it.
      kind: word for such a module in the error, such as "model".

    Raises:
      ValueError: unknown name; the message suggests the closest names.
    """
    known = modules(package)
    if name not in known:
        raise ValueError(unknown(kind, name, known))
    return importlib.import_module(f"{package}.{name}")


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The error line for a name that is not in `known`."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    there = ", ".join(known) or "none"
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {there}"
    return f"unknown {kind} {name!r}; {hint}"
