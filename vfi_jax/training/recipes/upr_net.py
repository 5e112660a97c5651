"""UPR-Net (Jin et al. 2023, arXiv:2211.03456; the authors' tools/train.py, core/pipeline.py).

All from the code. Vimeo-90K triplets, three levels: 256x256 crops, AdamW with weight decay 1e-4 on
everything, learning rate 2e-4 after 2000 steps of warm-up, cosine to 2e-5, 4 x 8 triplets in a
step, 800,000 steps; flips, time reversal, swapped red and blue, and turns by any right angle, half
of all clips by one of three; transposing with the flips comes to the same. Charbonnier and census
distance of the finest level's frame alone. The code's luma is of RGB, its frames are BGR: red
weighs as blue should. That is kept here; as colours are swapped in half of all clips it hardly
matters.
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
    """The census distance with blue's weight on red."""
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
