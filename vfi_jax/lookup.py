"""Finding things by their file: a folder of modules is a registry."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType


def modules(package: str) -> list[str]:
    """Names of the modules in the folder of `package`, sorted; nothing in it is imported.

    Args:
      package: dotted name, such as "vfi_jax.models".
    """
    paths = importlib.import_module(package).__path__
    return sorted(info.name for info in pkgutil.iter_modules(paths) if info.name[0] != "_")


def module(package: str, name: str, *, kind: str) -> ModuleType:
    """The module `name` of `package`.

    Args:
      package: dotted name.
      name: module in it.
      kind: what such a module is called in the error, such as "model".

    Raises:
      ValueError: there is none; the nearest names are listed.
    """
    known = modules(package)
    if name not in known:
        raise ValueError(unknown(kind, name, known))
    return importlib.import_module(f"{package}.{name}")


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The one line for a name that is not among `known`."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    there = ", ".join(known) or "none"
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {there}"
    return f"unknown {kind} {name!r}; {hint}"
