"""UPR-Net (Jin et al. 2023, arXiv:2211.03456; the authors' tools/train.py, core/pipeline.py).

Everything is from the code. Vimeo-90K triplets, three levels: 256x256 crops, AdamW with weight
decay 1e-4 on all parameters, learning rate 2e-4 after 2000 warm-up steps, cosine to 2e-5, batch 4 x
8, 800,000 steps; flips, time reversal, red/blue swaps, and rotations by right angles for half of
the clips, which transposition plus flips also produce. The loss is the Charbonnier and census
distance of the finest level's frame only. The code applies RGB luma weights to BGR frames. That is
kept; it hardly matters, because red and blue are swapped in half of the clips.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Recipe


def loss(prediction, batch, frozen):
    """Charbonnier and census distance of the frame."""
    found, targets = prediction["frames"], batch["targets"]
    parts = {
        "charbonnier": losses.charbonnier(found, targets),
        "census": census(found, targets),
    }
    return sum(parts.values()), parts


def census(prediction, target):
    """Census distance with the luma weights of red and blue exchanged, as in the code."""
    return losses.census(prediction[..., ::-1], target[..., ::-1], luma=True, border=1)


PAPER = Recipe(
    model="upr_net",
    loss=loss,
    optimizer=Optimizer("adamw", 2e-4, schedule=cosine(warmup=2000, end=2e-5), weight_decay=1e-4),
    data=("vimeo90k/triplet",),
    crop=(256, 256),
    batch=32,
    steps=800_000,
    augment=Augment(flip=True, flop=True, transpose=True, reverse=True, channels="reverse"),
)

RECIPES = {
    "": PAPER,
    "large": dataclasses.replace(PAPER, model="upr_net/large"),
    "llarge": dataclasses.replace(PAPER, model="upr_net/llarge"),
}
