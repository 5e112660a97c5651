"""Training recipes, one file per system: `RECIPES` by variant ("" is the paper's)."""

import dataclasses
import importlib

from vfi_jax import lookup, registry
from vfi_jax.training.recipe import Recipe

RECIPES = "vfi_jax.training.recipes"
ENTRY_POINTS = True  # installed packages may add recipes


def list_recipes() -> list[str]:
    """Names of all recipes, sorted: "<system>" and "<system>/<variant>"."""
    names = []
    for system in lookup.modules(RECIPES):
        variants = _module(system).RECIPES
        names += [f"{system}/{variant}" if variant else system for variant in variants]
    return sorted(names)


def find(name: str) -> Recipe:
    """The recipe of "<system>" or "<system>/<variant>".

    A variant without its own recipe uses that of its system.

    Raises:
      ValueError: unknown recipe or variant.
    """
    system, variant = registry.split(name)
    recipes = _module(system).RECIPES
    if variant in recipes:
        return recipes[variant]
    registry.create(name)
    return dataclasses.replace(recipes[""], model=name)


def load(reference: str) -> Recipe:
    """A recipe from a Python module.

    Args:
      reference: "package.module:NAME", such as "shift.training:RECIPE".

    Raises:
      ValueError: the module cannot be imported or does not contain the recipe.
    """
    module, _, name = reference.partition(":")
    if not (module and name):
        raise ValueError(f"--recipe must be package.module:NAME, got {reference!r}")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"--recipe {reference} cannot be loaded: {error}; install its package, or add its "
            "folder to PYTHONPATH"
        ) from error
    if not isinstance(found, Recipe):
        raise ValueError(
            f"--recipe {reference} must be a vfi_jax.training.Recipe, got {type(found).__name__}"
        )
    return found


def _module(system):
    return lookup.module(RECIPES, system, kind="recipe", needs=("RECIPES",))
