"""What the recipes of the small variants share: sizes that two CPU cores can do."""

import dataclasses
from typing import Any

from train.optimizer import Optimizer, cosine
from train.recipe import Recipe
from vfi_jax.data.augment import Augment


def small(recipe: Recipe, model: str, **changes: Any) -> Recipe:
    """A system's recipe for its small variant, from fresh parameters.

    Muon, which went on gaining in the comparison of docs/training.md; real clips for their texture,
    synthetic ones for motion that no real clip shows twice. `changes` are fields of the recipe.

        python -m train MODEL --data-dir VIDEOS --resident --workdir DIR
    """
    fields: dict[str, Any] = {
        "optimizer": Optimizer("muon", 1e-2, schedule=cosine(warmup=100, end=1e-5), clip=1.0),
        "data": ("video_folder", "synthetic"),
        "gaps": (2,),
        "crop": (96, 96),
        "batch": 4,
        "steps": 2000,
        "augment": Augment(transpose=True, channels="permute"),
        "ema": 0.998,
        "start_from": {},
    }
    return dataclasses.replace(recipe, model=model, **{**fields, **changes})
