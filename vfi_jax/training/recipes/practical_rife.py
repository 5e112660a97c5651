"""Practical-RIFE 4.x, for fine-tuning the releases; their training is not published.

    vfi-jax train practical_rife/4.25 --start-from practical_rife/4.25 --data-dir VIDEOS ...

The authors state in issues (hzwer/ECCV2022-RIFE 293 and 313, hzwer/Practical-RIFE 101) that
training is longer than in the paper, with other losses, that augmentation includes magnification by
two, and that 4.21 uses Vimeo-90K, Adobe240 and ATD-12K. This recipe is the paper's for arbitrary
times, without the teacher: the loss is the Laplacian distance of every block's frame, with smaller
weights for coarser blocks.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.training.recipes._fine_tuning import fine_tuning
from vfi_jax.training.recipes.rife import PAPER

DECAY = 0.8  # factor of the weight from a block to the previous one; chosen, not tuned


def loss(prediction, batch, frozen):
    """Weighted Laplacian distances of every block's frame; the last has weight 1."""
    distances = [losses.laplacian(blend, batch["targets"]) for blend in prediction["blends"]]
    *coarse, finest = distances
    guidance = sum(
        DECAY**step * distance for step, distance in enumerate(reversed(coarse), start=1)
    )
    return finest + guidance, {"laplacian": finest, "coarse": guidance}


RECIPES = {
    "": dataclasses.replace(
        PAPER,
        model="practical_rife",
        loss=loss,
        data=("vimeo90k/septuplet",),
        crop=(256, 256),
        fine_tuning=fine_tuning(3e-5),
    ),
}
