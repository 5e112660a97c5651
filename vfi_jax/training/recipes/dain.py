"""DAIN (Bao et al. 2019, arXiv:1904.00830, sec. 4.1; the authors' train.py).

From the code: whole 448x256 frames of Vimeo-90K, flips and time reversal, Charbonnier with eps 1e-6
on the rectified frame alone, AdaMax. Recalled from the paper: batch 2, learning rate 1e-4 for
kernels, context and synthesis, 1e-6 for flow and 1e-7 for depth, 30 epochs and 10 more at a fifth.
The code's own defaults (5e-4 and decay on a plateau) are of its published command, not the paper's.
The number of steps counts all 51,313 training triplets of Vimeo-90K, of which the last 5 % are held
out here.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, steps_down
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._small import TEACHER, following, guided, pair_distance, small

EPS = 1e-6  # in [0, 1], squared (loss_function.py)
# Of dain/small's learning rate, chosen, not tuned: flow has been learned before, and depth is told
# by motion alone.
RATES = {"flow": 0.3, "depth": 0.1}


def loss(prediction, batch, frozen):
    """The Charbonnier distance of the rectified frame."""
    parts = {"charbonnier": losses.charbonnier(prediction["frames"], batch["targets"], eps=EPS)}
    return parts["charbonnier"], parts


PAPER = Recipe(
    model="dain",
    loss=loss,
    optimizer=Optimizer(
        "adamax", 1e-4, schedule=steps_down(0.2, 0.75), scale={"flow": 0.01, "depth": 0.001}
    ),
    data=("vimeo90k/triplet",),
    crop=(256, 448),
    batch=2,
    steps=1_026_260,
    augment=Augment(flip=True, flop=True, reverse=True),
    start_from={"flow": "pwc_net", "depth": "megadepth"},
)


SMALL = small(PAPER, "dain/small", gaps=(2, 4), crop=(128, 128), batch=3)

RECIPES = {
    "": PAPER,
    # dain/small's flow alone, from which the whole starts, as the paper's does from PWC-Net's:
    # vfi-jax train dain/flow --workdir FLOW ...
    # vfi-jax train dain/small --start-from FLOW/weights ...
    "flow": dataclasses.replace(
        SMALL, loss=following(pair_distance), frozen={"teacher": TEACHER}, batch=6
    ),
    "small": guided(
        dataclasses.replace(SMALL, optimizer=dataclasses.replace(SMALL.optimizer, scale=RATES)),
        pair_distance,
    ),
}
