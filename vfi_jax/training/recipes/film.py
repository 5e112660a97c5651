"""FILM (Reda et al. 2022, arXiv:2202.04901; the authors' training/config/film_net-*.gin).

All from the code: Vimeo-90K triplets, 256x256 crops, batch 8, Adam at 1e-4 times 0.464158 every
750,000 steps of 3,000,000; right angles, flips and time reversal. (It also turns half of all clips
by any angle up to 45 degrees, with black corners.) L1 alone for "l1", for numbers; the system's own
name is trained so too. For looks VGG-19's features are compared besides, at a weight of 1 and from
the middle of the run on of 1/4: "vgg"; "style" compares their Gram matrices too from there on, at a
weight of 40. So "vgg" here is the first half, and "style" the second, which goes on from it.

The authors' VGG-19 is a MATLAB file of another training, with average pooling and colours up to
255, its activations divided by 255. Torchvision's stands for it here, so that what the weights of
both feature losses come to is not the authors'.
"""

import dataclasses
import functools

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, steps_down
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._features import seen_by_vgg19
from vfi_jax.training.recipes._fine_tuning import fine_tuning
from vfi_jax.training.recipes._small import guided, pair_distance, small
from vfi_jax.training.recipes.sepconv import l1

RATE, DECAY = 1e-4, 0.464158
# Weight of each layer in both feature losses (losses/vgg19_loss.py), after Chen and Koltun 2017.
LAYERS = {
    "relu1_2": 1 / 2.6,
    "relu2_2": 1 / 4.8,
    "relu3_2": 1 / 3.7,
    "relu4_2": 1 / 5.6,
    "relu5_2": 10 / 1.5,
}


def looks(prediction, batch, frozen, *, features, style):
    """The L1 distance, those of VGG-19's features at a weight, and those of their Gram matrices."""
    found, targets = prediction["frames"], batch["targets"]
    see = seen_by_vgg19(frozen)
    parts = {
        "l1": losses.l1(found, targets),
        "features": features * losses.perceptual_l1(found, targets, see, weights=LAYERS),
    }
    if style:
        parts["style"] = style * losses.style(found, targets, see, weights=LAYERS)
    return sum(parts.values()), parts


L1 = Recipe(
    model="film",
    loss=l1,
    optimizer=Optimizer(
        "adam",
        RATE,
        schedule=steps_down(DECAY, 0.25, 0.5, 0.75),
        eps=1e-7,  # Keras's eps
    ),
    data=("vimeo90k/triplet",),
    crop=(256, 256),
    batch=8,
    steps=3_000_000,
    augment=Augment(flip=True, flop=True, transpose=True, reverse=True),
    fine_tuning=fine_tuning(1e-5),
)
VGG = dataclasses.replace(
    L1,
    model="film/vgg",
    loss=functools.partial(looks, features=1.0, style=0.0),
    optimizer=dataclasses.replace(L1.optimizer, schedule=steps_down(DECAY, 0.5)),
    steps=1_500_000,
    frozen={"vgg19": "vgg19"},
)
STYLE = dataclasses.replace(
    VGG,
    model="film/style",
    loss=functools.partial(looks, features=0.25, style=40.0),
    optimizer=dataclasses.replace(VGG.optimizer, learning_rate=RATE * DECAY**2),
    start_from={"": "film/vgg"},
)

RECIPES = {
    "": L1,
    "vgg": VGG,
    "style": STYLE,
    "small": guided(small(L1, "film/small", gaps=(2, 4), crop=(128, 128)), pair_distance),
}
