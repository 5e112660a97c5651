"""SoftSplat (Niklaus and Liu 2020, arXiv:2003.05534); no training code was released.

Read, in the authors' answers (sniklaus/softmax-splatting, issues #5 and #30): the training part of
Vimeo-90K; flow starts from a trained PWC-Net, which first is kept and then tuned on the same loss.
Weights for that smaller flow network were never released: here all is trained at once, from fresh
parameters. Recalled from the paper: two versions, one for the Laplacian distance of colours and one
for relu4_4 of VGG-19 (that these are the files "l1" and "lf" is inferred), all else as in its
predecessor (arXiv:1803.10967): AdaMax with learning rate 1e-3 and betas 0.9 and 0.999, batch 8,
crops of 256x256. Recalled too: band i of five weighs 2^(i - 1), whether of sums or of means is not
known; all alike, as here, lies between both. The number of steps is the 80 epochs that are the
default of a re-implementation (JHLew/SoftSplat-Full), of all 51,313 training triplets, of which the
last 5 % are held out here. Flips and time reversal are usual, not known.
"""

import dataclasses
import functools

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._features import features
from vfi_jax.training.recipes._small import BANDS, guided, pair_distance, small


def laplacian(prediction, batch, frozen, *, levels=5):
    """The Laplacian distance of the frame ("l1", higher PSNR)."""
    parts = {"laplacian": losses.laplacian(prediction["frames"], batch["targets"], levels=levels)}
    return parts["laplacian"], parts


PAPER = Recipe(
    model="softsplat",
    loss=laplacian,
    optimizer=Optimizer("adamax", 1e-3),
    data=("vimeo90k/triplet",),
    crop=(256, 256),
    batch=8,
    steps=513_130,
    augment=Augment(flip=True, flop=True, reverse=True),
)

RECIPES = {
    "": PAPER,
    "lf": dataclasses.replace(
        PAPER, model="softsplat/lf", loss=features, frozen={"vgg19": "vgg19"}
    ),
    "small": guided(
        small(
            PAPER,
            "softsplat/small",
            loss=functools.partial(laplacian, levels=BANDS),
            gaps=(2, 4),
            crop=(128, 128),
        ),
        pair_distance,
    ),
}
