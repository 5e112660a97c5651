"""Registries by file: a folder of modules is a registry.

Installed packages add modules to a folder whose `__init__` has `ENTRY_POINTS = True`, with entry
points in the group named like the folder, such as "vfi_jax.models".
"""

import difflib
import functools
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from types import ModuleType

MOST_LISTED = 40  # names in a message


def modules(package: str) -> list[str]:
    """Names of the modules in the folder of `package`, and of those added by installed packages.

    Args:
      package: dotted name, such as "vfi_jax.models".

    Returns:
      The sorted names; no module is imported.
    """
    return sorted([*_files(package), *_added(package)])


def module(package: str, name: str, *, kind: str, needs: tuple[str, ...] = ()) -> ModuleType:
    """The module `name` of `package`.

    Args:
      package: dotted name.
      name: module in it.
      kind: noun for such a module in errors, such as "model".
      needs: names that a module of an installed package must define.

    Raises:
      ValueError: unknown name (the message suggests the closest names), or a module of an installed
        package cannot be imported or lacks a name.
    """
    if name in _files(package):
        return importlib.import_module(f"{package}.{name}")
    point = _added(package).get(name)
    if point is None:
        raise ValueError(unknown(kind, name, modules(package)))
    where = f"{kind} {name!r}, the entry point {point.value} of group {package},"
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"{where} cannot be imported: {error}; fix or uninstall the package that adds it"
        ) from error
    missing = [need for need in needs if not hasattr(found, need)]
    if missing:
        raise ValueError(f"{where} must define {', '.join(needs)}; it lacks {', '.join(missing)}")
    return found


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The error line for a name that is not in `known`; a long list is without the variants."""
    known = list(known)
    listed = known if len(known) <= MOST_LISTED else [one for one in known if "/" not in one]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    there = ", ".join(listed) or "none"
    hint = f"did you mean {' or '.join(near)}?" if near else f"available: {there}"
    return f"unknown {kind} {name!r}; {hint}"


def _files(package: str) -> list[str]:
    paths = importlib.import_module(package).__path__
    return [info.name for info in pkgutil.iter_modules(paths) if info.name[0] != "_"]


@functools.cache
def _added(package: str) -> dict[str, EntryPoint]:
    """Entry points that add modules to a folder, by name; the folder's own files have priority."""
    if not getattr(importlib.import_module(package), "ENTRY_POINTS", False):
        return {}
    own = _files(package)
    points = importlib.metadata.entry_points(group=package)
    return {point.name: point for point in points if point.name not in own}
