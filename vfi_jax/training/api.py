"""Training from a program."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from vfi_jax import lookup
from vfi_jax.training import loop
from vfi_jax.training.options import Options
from vfi_jax.training.recipe import Recipe


def train(
    recipe: str | Recipe,
    data: str | Sequence[str],
    workdir: str | os.PathLike[str],
    **options: Any,
) -> Any:
    """Train a system, like `vfi-jax train`.

    Args:
      recipe: a name from `vfi_jax.training.recipes.list_recipes`, "package.module:NAME", or a
        recipe.
      data: names of data sets to mix; () for the recipe's own.
      workdir: output folder for the run's record, metrics, checkpoints and weights: local, or in an
        object store, such as "gs://bucket/run".
      **options: other fields of `vfi_jax.training.options.Options`, such as `data_dir="DATA"`,
        `steps=1000`, `resume=True`.

    Returns:
      The folder of the final weights, a path for `vfi_jax.load`. None if SIGTERM or SIGINT stopped
      the run early; its state is saved, and `resume=True` continues.

    Raises:
      ValueError: an unknown option, or an invalid option, data set or set of initial weights.
      FileExistsError: `workdir` contains a run, and `resume` is not set.
      CannotContinue: a loss or gradient is not finite, or a file cannot be written or read.
    """
    known = [field.name for field in dataclasses.fields(Options)]
    for name in options:
        if name not in known:
            raise ValueError(lookup.unknown("option", name, known))
    name, given = ("", recipe) if isinstance(recipe, Recipe) else (recipe, None)
    chosen = {"recipe" if ":" in name else "system": name, **options}
    wanted = Options(
        data=(data,) if isinstance(data, str) else tuple(data),
        workdir=os.fspath(workdir),
        **{name: _plain(value) for name, value in chosen.items()},
    )
    return loop.train(wanted, given)


def _plain(value):
    return os.fspath(value) if isinstance(value, os.PathLike) else value
