"""MIND (Long et al. 2016, arXiv:1603.06041, sec. 3); no code was ever published.

Everything is recalled from the paper: Charbonnier loss with eps 0.1, Adam with learning rate 1e-3,
lowered manually, batch 16, about 20 epochs of 133,921 triplets of consecutive frames of KITTI raw
at 128x384, flips and time reversal. Here a step schedule replaces the manual changes.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine, steps_down
from vfi_jax.training.recipe import Recipe

EPS = 0.1  # in [0, 1]; recalled from the paper, low certainty
SHARP_EPS = 0.01  # for mind/small: the paper's eps hides the effect of small motion


def loss(prediction, batch, frozen):
    """The Charbonnier distance."""
    parts = {"charbonnier": losses.charbonnier(prediction["frames"], batch["targets"], eps=EPS)}
    return parts["charbonnier"], parts


def sharp_loss(prediction, batch, frozen):
    """The Charbonnier distance, close to L1."""
    parts = {
        "charbonnier": losses.charbonnier(prediction["frames"], batch["targets"], eps=SHARP_EPS)
    }
    return parts["charbonnier"], parts


PAPER = Recipe(
    model="mind",
    loss=loss,
    optimizer=Optimizer("adam", 1e-3, schedule=steps_down(0.1, 0.5, 0.8)),
    data=("kitti",),
    gaps=(2,),
    crop=(128, 384),
    batch=16,
    steps=167_400,
    augment=Augment(flip=True, flop=True, reverse=True),
)

RECIPES = {
    "": PAPER,
    # The included weights, for matching; takes an hour on a CPU:
    # vfi-jax train mind/small --scenes 4096 --workdir DIR
    "small": dataclasses.replace(
        PAPER,
        model="mind/small",
        loss=sharp_loss,
        optimizer=Optimizer("muon", 2e-2, schedule=cosine(warmup=100), b2=0.99, clip=1.0),
        data=("moving_textures",),
        crop=(40, 40),
        batch=12,
        steps=30_000,
        augment=Augment(transpose=True, channels="permute"),
        ema=0.999,
    ),
}
