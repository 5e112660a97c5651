"""SoftSplat (Niklaus and Liu 2020, arXiv:2003.05534); no training code was released.

From the authors' answers (sniklaus/softmax-splatting, issues #5 and #30): the training split of
Vimeo-90K; flow starts from a trained PWC-Net, which is first frozen and then fine-tuned with the
same loss. Weights for that smaller flow network were never released, so this recipe trains
everything together from scratch.

Recalled from the paper: two versions, one with the Laplacian distance of colours and one with
relu4_4 of VGG-19 (that these are the files "l1" and "lf" is inferred). Everything else as in its
predecessor (arXiv:1803.10967): AdaMax with learning rate 1e-3 and betas 0.9 and 0.999, batch 8,
256x256 crops. Recalled as well: band i of five has weight 2^(i - 1); whether for sums or for means
is unknown. Equal weights, used here, lie in between.

The number of steps is for 80 epochs, the default of a re-implementation (JHLew/SoftSplat-Full), of
all 51,313 training triplets, of which the last 5 % are held out here. Flips and time reversal are
assumed.
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
