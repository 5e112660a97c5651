"""Practical-RIFE 4.x, for fine-tuning its releases; their training is not published.

    vfi-jax train practical_rife/4.25 --start-from practical_rife/4.25 --data-dir VIDEOS ...

What its authors say in issues (hzwer/ECCV2022-RIFE 293 and 313, hzwer/Practical-RIFE 101): longer
than the paper's, other losses, frames enlarged twice among the augmentations, and for 4.21
Vimeo-90K with Adobe240 and ATD-12K. So this is the paper's recipe for any time with its Laplacian
distance and without its teacher: every block's frame is compared, the coarser the less it counts.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.training.recipes._fine_tuning import fine_tuning
from vfi_jax.training.recipes.rife import PAPER

DECAY = 0.8  # of the weight from a block to the one before it; chosen, not tuned


def loss(prediction, batch, frozen):
    """Laplacian distances of every block's frame, the last counting fully."""
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
