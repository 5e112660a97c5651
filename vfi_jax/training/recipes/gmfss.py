"""GMFSS Fortuna (98mxr/GMFSS_Fortuna GMFSS_train_*.py, train_nb.py, dataset.py, loss.py).

All from the code. GMFlow and RIFE 4.6 are given and stay as they are, on whole frames; the
features, the metric and the fusion are trained on Charbonnier and LPIPS (VGG-16) of the clipped
frame, both with weight 1. AdamW with weight decay 1e-4, learning rate 3e-4 after 2,000 steps of
warm-up, cosine to 3e-6, 44 epochs, batch 16; flips, time reversal and turns by right angles.
Released files were trained further with a discriminator, at equal weight (train_pg.py,
train_upg.py), which is not here; what they were trained on is not stated.

Three things differ. The code enlarges Vimeo-90K's septuplets to 960x540, reads their first three
frames and crops 448x448; here crops of 256x256 are taken from the septuplets as they are, any three
neighbours. It hands LPIPS frames in [0, 1] that the network would have in [-1, 1]; here they are as
LPIPS was trained. It permutes colours after flow was estimated; here flow sees them permuted too.
The number of steps counts the 64,612 training septuplets (recalled).
"""

import dataclasses

from vfi_jax import losses, metrics
from vfi_jax.data.augment import Augment
from vfi_jax.layers.pairs import clamp
from vfi_jax.networks import lpips, vgg16
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Recipe

EPS = 1e-3  # of Charbonnier, in [0, 1]: its square is 1e-6 (loss.py)
TRUNK, HEADS = vgg16.Model(), lpips.Model(lpips.VARIANTS["vgg"])


def loss(prediction, batch, frozen):
    """Charbonnier and LPIPS distance of the frame."""
    found, targets = prediction["frames"], batch["targets"]

    def seen(images):
        return TRUNK.apply(frozen["vgg16"], images)

    heads = HEADS.apply(frozen["lpips"])
    parts = {
        "charbonnier": losses.charbonnier(found, targets, eps=EPS),
        "lpips": metrics.lpips(clamp(found), targets, seen, heads).mean(),
    }
    return sum(parts.values()), parts


UNION = Recipe(
    model="gmfss/union",
    loss=loss,
    optimizer=Optimizer(
        "adamw",
        3e-4,
        schedule=cosine(warmup=2000, end=3e-6),
        weight_decay=1e-4,
        scale={"flow": 0.0, "rife": 0.0},
    ),
    data=("vimeo90k/septuplet",),
    crop=(256, 256),
    batch=16,
    steps=177_683,
    gaps=(2,),
    augment=Augment(flip=True, flop=True, transpose=True, reverse=True, channels="permute"),
    frozen={"vgg16": "vgg16", "lpips": "lpips/vgg"},
    start_from={"flow": "gmflow", "rife": "practical_rife/4.6"},
)

RECIPES = {
    "": UNION,
    "base": dataclasses.replace(
        UNION,
        model="gmfss/base",
        optimizer=dataclasses.replace(UNION.optimizer, scale={"flow": 0.0}),
        start_from={"flow": "gmflow"},
    ),
}
