"""Fine-tuning settings shared by several systems, for 100 to 10,000 clips of your own."""

from collections.abc import Mapping
from typing import Any

from vfi_jax.training.optimizer import Optimizer, cosine

WARM_UP = 100  # steps, so that Adam's second moments are estimated before the peak rate


def fine_tuning(learning_rate: float, **changes: Any) -> Mapping[str, Any]:
    """Fields of a recipe for fine-tuning trained weights.

    3000 steps of batch 8 are 240 epochs of 100 clips or 2.4 epochs of 10,000 clips. The learning
    rate is at most a tenth of the paper's, and the parameters are averaged over about 500 steps, to
    preserve quality on other videos.

    Args:
      learning_rate: peak learning rate of Adam.
      **changes: other fields of the recipe.
    """
    fields: dict[str, Any] = {
        "optimizer": Optimizer("adam", learning_rate, schedule=cosine(warmup=WARM_UP)),
        "data": ("video_folder",),
        "gaps": (2, 4),
        "batch": 8,
        "steps": 3000,
        "ema": 0.998,
        "start_from": {},
    }
    return {**fields, **changes}
