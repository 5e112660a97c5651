"""MIND (Long et al. 2016, arXiv:1603.06041, sec. 3): no code was ever published.

All recalled from the paper: Charbonnier loss with eps 0.1, Adam with learning rate 1e-3 lowered
by hand, batch 16, about 20 epochs of 133,921 triplets of KITTI raw at 128x384, flips and time
reversal.
The steps down stand for the hand.
"""

from train.optimizer import Optimizer, steps_down
from train.recipe import Recipe
from vfi_jax import losses
from vfi_jax.data.augment import Augment

EPS = 0.1  # in [0, 1]; recalled from the paper, low certainty


def loss(prediction, batch, frozen):
    """The Charbonnier distance."""
    parts = {"charbonnier": losses.charbonnier(prediction["frames"], batch["targets"], eps=EPS)}
    return parts["charbonnier"], parts


RECIPES = {
    "": Recipe(
        model="mind",
        loss=loss,
        optimizer=Optimizer("adam", 1e-3, schedule=steps_down(0.1, 0.5, 0.8)),
        data=("kitti",),
        crop=(128, 384),
        batch=16,
        steps=167_400,
        augment=Augment(flip=True, flop=True, reverse=True),
    ),
}
