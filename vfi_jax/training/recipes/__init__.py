"""How each system is trained: one file a system, `RECIPES` by variant ("" is the paper's)."""

import dataclasses

from vfi_jax import lookup, registry
from vfi_jax.training.recipe import Recipe

RECIPES = "vfi_jax.training.recipes"


def list_recipes() -> list[str]:
    """Names that `find` takes, sorted: "<system>" and "<system>/<variant>"."""
    names = []
    for system in lookup.modules(RECIPES):
        variants = lookup.module(RECIPES, system, kind="recipe").RECIPES
        names += [f"{system}/{variant}" if variant else system for variant in variants]
    return sorted(names)


def find(name: str) -> Recipe:
    """The recipe of "<system>" or "<system>/<variant>".

    A variant without a recipe of its own is trained like its system.

    Raises:
      ValueError: no such recipe or variant.
    """
    system, variant = registry.split(name)
    recipes = lookup.module(RECIPES, system, kind="recipe").RECIPES
    if variant in recipes:
        return recipes[variant]
    registry.create(name)
    return dataclasses.replace(recipes[""], model=name)
