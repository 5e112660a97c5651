"""FILM (Reda et al. 2022, arXiv:2202.04901; the authors' training/config/film_net-*.gin).

Everything is from the code: Vimeo-90K triplets, 256x256 crops, batch 8, Adam with learning rate
1e-4, multiplied by 0.464158 every 750,000 of 3,000,000 steps; rotations by right angles, flips and
time reversal. The code also rotates half of the clips by up to 45 degrees, with black corners; this
recipe does not.

Losses: "l1", the default, uses only L1, for PSNR. "vgg" and "style" are for perceptual quality.
They are the two halves of one run of the code: "vgg" adds the distance of VGG-19 features with
weight 1; "style" continues from it with weight 1/4 for the features and 40 for their Gram matrices.

The authors use another VGG-19, from a MATLAB file, with average pooling and colours up to 255; its
activations are divided by 255. Torchvision's VGG-19 replaces it here, so the effective weights of
both feature losses differ from the authors'.
"""

import dataclasses
import functools

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, steps_down
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._features import vgg19_activations
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


def perceptual(prediction, batch, frozen, *, features, style):
    """L1 distance plus weighted distances of VGG-19 features and of their Gram matrices."""
    found, targets = prediction["frames"], batch["targets"]
    see = vgg19_activations(frozen)
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
    loss=functools.partial(perceptual, features=1.0, style=0.0),
    optimizer=dataclasses.replace(L1.optimizer, schedule=steps_down(DECAY, 0.5)),
    steps=1_500_000,
    frozen={"vgg19": "vgg19"},
)
STYLE = dataclasses.replace(
    VGG,
    model="film/style",
    loss=functools.partial(perceptual, features=0.25, style=40.0),
    optimizer=dataclasses.replace(VGG.optimizer, learning_rate=RATE * DECAY**2),
    start_from={"": "film/vgg"},
)

RECIPES = {
    "": L1,
    "vgg": VGG,
    "style": STYLE,
    "small": guided(small(L1, "film/small", gaps=(2, 4), crop=(128, 128)), pair_distance),
}
