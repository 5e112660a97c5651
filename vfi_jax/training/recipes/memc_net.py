"""MEMC-Net (Bao et al. 2018, arXiv:1810.08768, sec. 4.1); no training code was released.

From unused options in the test code: AdaMax with learning rate 2e-3, flow at 1 % of that,
Charbonnier loss with eps 1e-6, 100 epochs. Recalled from the paper: Vimeo-90K triplets, batch 4. A
step schedule replaces the decay by 0.2 on a plateau. Enhancement is trained on frames corrupted by
`degrade`; the kind of noise and compression is recalled from the paper's data set, unverified. The
number of steps is for all 51,313 training triplets, of which the last 5 % are held out here.
"""

import dataclasses

import jax

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, steps_down
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._small import guided, small

EPS = 1e-6  # in [0, 1], squared
NOISE = 0.1  # standard deviation of the noise to remove, in [0, 1]


def loss(prediction, batch, frozen):
    """The Charbonnier distance."""
    parts = {"charbonnier": losses.charbonnier(prediction["frames"], batch["targets"], eps=EPS)}
    return parts["charbonnier"], parts


def degrade(key, frames):
    """White Gaussian noise on every frame."""
    return frames + NOISE * jax.random.normal(key, frames.shape)


BASE = Recipe(
    model="memc_net",
    loss=loss,
    optimizer=Optimizer(
        "adamax", 2e-3, schedule=steps_down(0.2, 0.4, 0.6, 0.8), scale={"flow": 0.01}
    ),
    data=("vimeo90k/triplet",),
    crop=(256, 448),
    batch=4,
    steps=1_282_825,
    augment=Augment(flip=True, flop=True, reverse=True),
)

RECIPES = {
    "": BASE,
    "enhance": dataclasses.replace(
        BASE, model="memc_net/enhance", data=("vimeo90k/septuplet",), gaps=(1,), degrade=degrade
    ),
    # The flow pyramid ends at 32 pixels, so only crops larger than 128 train all four levels.
    "small": guided(small(BASE, "memc_net/small", crop=(160, 160), batch=2)),
}
