"""Overhead of `vfi_jax.interpolate` over `model.apply` on the same windows."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from vfi_jax.bench.cases import Case, created, inference, model_cases
from vfi_jax.interpolation import interpolate

NEW_FRAMES = 7  # between two frames: eight times the rate


def interpolate_cases(
    names: Iterable[str], *, size: tuple[int, int] = (256, 448), **options: Any
) -> Iterator[Case]:
    """Models that interpolate `NEW_FRAMES` frames between two, or only the midpoint.

    Args:
      names: names of the systems.
      size: as in `model_cases`.
      **options: fields of the Config, as in `model_cases`.

    Raises:
      ValueError: unknown model, no names, or a model that needs more than two frames.
    """
    names = list(names)
    for case, name in zip(model_cases(names, size=size, **options), names, strict=True):
        model = created(name, options)
        if model.contract.frames != 2:
            wanted = f"windows of {model.contract.frames} frames"
            raise ValueError(f"{name} takes {wanted}; choose a model that takes two")
        spaced = [step / (NEW_FRAMES + 1) for step in range(1, NEW_FRAMES + 1)]
        yield _case(case, model, list(model.contract.times or spaced))


def _case(case, model, times):
    variables, frames, _ = case.arrays
    answer, requested = inference(model), np.asarray([times], np.float32)
    return dataclasses.replace(
        case,
        detail=f"interpolate, {len(times)} new frames",
        function=lambda variables, frames: interpolate(model, variables, frames, times),
        arrays=(variables, frames),
        baseline=lambda variables, frames: answer(variables, frames, requested),
    )
