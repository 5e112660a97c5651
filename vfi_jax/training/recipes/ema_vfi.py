"""EMA-VFI (Zhang et al. 2023, arXiv:2303.00440; the authors' train.py, dataset.py and Trainer.py).

From the code: Vimeo-90K triplets, 256x256 crops, AdamW with weight decay 1e-4 on all parameters,
learning rate 2e-4 after 2000 warm-up steps, cosine to 2e-5, batch 4 x 8, 300 epochs of 1603 steps;
flips, time reversal, red/blue swaps, and rotations by right angles. Here transposition plus flips
give the same rotations, less often. The loss is the Laplacian distance of the frame, plus half of
that of the blends by each head's flow alone.

The code for arbitrary times was not published. The authors state (issue 11) that only the data
differ, as for RIFE: septuplets, with times from the frame numbers. `t` and `small_t` follow this;
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
