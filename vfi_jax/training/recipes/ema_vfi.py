"""EMA-VFI (Zhang et al. 2023, arXiv:2303.00440; the authors' train.py, dataset.py and Trainer.py).

From the code: Vimeo-90K triplets, 256x256 crops, AdamW with weight decay 1e-4 on everything,
learning rate 2e-4 after 2000 steps of warm-up, cosine to 2e-5, 4 x 8 triplets in a step, 300 epochs
of 1603 steps; flips, time reversal, swapped red and blue, and turns by right angles, drawn more
often than here, where transposing with the flips comes to the same. Laplacian distances of the
frame, and half of those of what either head's flow alone gives.

The code for any time was not published. Its authors write (their issue 11) that the data alone
differ, as in RIFE's: septuplets, whose frames' numbers are the times. `t` and `small_t` do so;
whether anything else differed is unknown.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Recipe

BLENDS = 0.5  # weight of each (Trainer.py, update)


def loss(prediction, batch, frozen):
    """Laplacian distances of the frame and of both heads' blends."""
    targets = batch["targets"]
    coarse, fine = (losses.laplacian(blend, targets) for blend in prediction["blends"])
    parts = {"laplacian": losses.laplacian(prediction["frames"], targets), "coarse": coarse}
    parts["fine"] = fine
    return parts["laplacian"] + BLENDS * (coarse + fine), parts


PAPER = Recipe(
    model="ema_vfi",
    loss=loss,
    optimizer=Optimizer("adamw", 2e-4, schedule=cosine(warmup=2000, end=2e-5), weight_decay=1e-4),
    data=("vimeo90k/triplet",),
    crop=(256, 256),
    batch=32,
    steps=480_900,
    augment=Augment(flip=True, flop=True, transpose=True, reverse=True, channels="reverse"),
)
ANY_TIME = dataclasses.replace(PAPER, model="ema_vfi/t", data=("vimeo90k/septuplet",))

RECIPES = {
    "": PAPER,
    "t": ANY_TIME,
    "small_t": dataclasses.replace(ANY_TIME, model="ema_vfi/small_t"),
}
