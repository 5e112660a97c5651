"""RIFE (Huang et al. 2022, arXiv:2011.06294, sec. 4.1; the authors' train.py).

Everything is from the code: Vimeo-90K triplets, 224x224 crops, AdamW with weight decay 1e-3 on all
parameters, learning rate 3e-4 after 2000 warm-up steps, cosine to 3e-6, batch 64, 300 epochs of 761
steps, flips, time reversal and red/blue swaps. The code rotates by right angles, which is
equivalent to transposition plus flips. `rife/m` draws its times from septuplets, with half the
distillation.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Recipe

DISTILLATION = 0.01  # RIFE.py:83; 0.005 or 0.002 for IFNet_m


def loss(prediction, batch, frozen, *, distillation=DISTILLATION):
    """Laplacian distances of the frame and of the teacher's frame, and the distillation loss."""
    targets = batch["targets"]
    parts = {
        "laplacian": losses.laplacian(prediction["frames"], targets),
        "teacher": losses.laplacian(prediction["teacher_blend"], targets),
        "distillation": losses.flow_distillation(
            prediction["flows"],
            prediction["blends"],
            prediction["teacher_flow"],
            prediction["teacher_blend"],
            targets,
        ),
    }
    return parts["laplacian"] + parts["teacher"] + distillation * parts["distillation"], parts


def any_time(prediction, batch, frozen):
    """The loss with the smaller distillation weight that the code uses for IFNet_m."""
    return loss(prediction, batch, frozen, distillation=0.005)


PAPER = Recipe(
    model="rife",
    loss=loss,
    optimizer=Optimizer("adamw", 3e-4, schedule=cosine(warmup=2000, end=3e-6), weight_decay=1e-3),
    data=("vimeo90k/triplet",),
    crop=(224, 224),
    batch=64,
    steps=228_300,
    augment=Augment(flip=True, flop=True, transpose=True, reverse=True, channels="reverse"),
)

RECIPES = {
    "": PAPER,
    "m": dataclasses.replace(PAPER, model="rife/m", loss=any_time, data=("vimeo90k/septuplet",)),
}
