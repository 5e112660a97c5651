"""GMFSS Fortuna (98mxr/GMFSS_Fortuna GMFSS_train_*.py, train_nb.py, dataset.py, loss.py).

Everything is from the code. GMFlow and RIFE 4.6 are pretrained and frozen. Features, metric and
fusion are trained with Charbonnier loss and LPIPS (VGG-16) of the clipped frame, both with weight
1. AdamW with weight decay 1e-4, learning rate 3e-4 after 2,000 warm-up steps, cosine to 3e-6, 44
epochs, batch 16; flips, time reversal and rotations by right angles. The released files were then
trained with a discriminator of equal weight (train_pg.py, train_upg.py), which is not implemented
here; their training data are not stated.

Differences: the code upscales Vimeo-90K's septuplets to 960x540 and takes 448x448 crops of the
first three frames; this recipe takes 256x256 crops of any three consecutive frames without
upscaling. The code passes LPIPS frames in [0, 1], although the network expects [-1, 1]; this recipe
converts them. The code permutes colours after flow estimation; here flow is estimated from permuted
colours. The number of steps is for 64,612 training septuplets (recalled).
"""

import dataclasses

from vfi_jax import losses, metrics
from vfi_jax.data.augment import Augment
from vfi_jax.layers.pairs import clamp
from vfi_jax.networks import lpips, vgg16
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Recipe

EPS = 1e-3  # Charbonnier's, for values in [0, 1]; its square is 1e-6 (loss.py)
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
