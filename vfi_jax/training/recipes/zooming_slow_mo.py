"""Zooming Slow-Mo (Xiang et al. 2020, arXiv:2002.11616, sec. 4.1; the authors' train_zsm.yml).

Everything is from that file: Vimeo-90K septuplets; the inputs are frames 1, 3, 5 and 7, downscaled
bicubically and rounded to 8 bits; the targets are 128x128 crops of all seven frames; flips,
transposition and time reversal; the Charbonnier loss is SUMMED over all values, with 1e-6 added to
the square; Adam with betas 0.9 and 0.99; four half cosines from 4e-4 to 1e-7 of 150,000 steps each;
batch 16 (24 in the paper).
"""

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine_restarts
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._small import small

EPS = 1e-3  # for values in [0, 1]; the code adds its square, 1e-6


def loss(prediction, batch, frozen):
    """The summed Charbonnier distance; its gradient is proportional to batch and crop size."""
    targets = batch["targets"]
    total = losses.charbonnier(prediction["frames"], targets, eps=EPS) * targets.size
    return total, {"charbonnier": total}


PAPER = Recipe(
    model="zooming_slow_mo",
    loss=loss,
    summed=True,
    optimizer=Optimizer("adam", 4e-4, b2=0.99, schedule=cosine_restarts(4, end=1e-7)),
    data=("vimeo90k/septuplet",),
    gaps=(2,),
    crop=(128, 128),
    batch=16,
    steps=600_000,
    augment=Augment(flip=True, flop=True, transpose=True, reverse=True),
)

RECIPES = {
    "": PAPER,
    "small": small(PAPER, "zooming_slow_mo/small", crop=(128, 128), batch=2),
}
