"""The compared models with their weights, and baselines."""

import dataclasses
import functools
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from vfi_jax import weights
from vfi_jax.evaluation.baselines import baseline
from vfi_jax.evaluation.flows import flow_picture
from vfi_jax.evaluation.protocols import Protocol
from vfi_jax.evaluation.score import Answer, Sample
from vfi_jax.interpolation import Interpolator


@dataclasses.dataclass(frozen=True)
class Contenders:
    """The arguments of `compare` for each model and baseline, by name.

    Attributes:
      answers: prediction functions.
      flows: functions from a sample to an image of the model's flow.
      versions: checksum of the weights, and options that change the prediction.
      scale: scale of all models and baselines.
    """

    answers: dict[str, Answer]
    flows: dict[str, Callable[[Sample], np.ndarray | None]]
    versions: dict[str, str]
    scale: int


def contenders(
    models: Sequence[str],
    baselines: Sequence[str],
    protocol: Protocol,
    *,
    flow_scale: float | None = None,
) -> Contenders:
    """Load models and baselines.

    Args:
      models: names or paths, as in `weights.load`; the default model if there are no baselines
        either.
      baselines: names of `baseline`.
      protocol: defines padding and ensemble.
      flow_scale: option of models that support it; None: their default.

    Raises:
      FileNotFoundError: weights are not on this machine.
      ValueError: an unknown name, models of different scales, or models without `flow_scale`.
    """
    names = list(models) or ([] if baselines else [weights.DEFAULT])
    config: dict[str, Any] = {} if flow_scale is None else {"flow_scale": flow_scale}
    loaded = {name: weights.load(name, **config) for name in names}
    scales = {model.contract.scale for model, _ in loaded.values()} or {1}
    if len(scales) > 1:
        raise ValueError(f"models of different scales cannot be compared: {', '.join(names)}")
    (scale,) = scales
    answers: dict[str, Answer] = {
        name: Interpolator(model, variables, padding=protocol.padding, ensemble=protocol.ensemble)
        for name, (model, variables) in loaded.items()
    }
    options = "" if flow_scale is None else f" at flow_scale {flow_scale:g}"
    return Contenders(
        answers | {name: baseline(name, scale=scale) for name in baselines},
        {name: functools.partial(flow_picture, *pair) for name, pair in loaded.items()},
        {name: _checksum(variables) + options for name, (_, variables) in loaded.items()},
        scale,
    )


def _checksum(variables):
    total = 0
    for leaf in jax.tree.leaves(variables):
        total = zlib.crc32(np.ascontiguousarray(leaf).tobytes(), total)
    return f"{total:08x}"
