"""DAIN (Bao et al. 2019, arXiv:1904.00830, sec. 4.1; the authors' train.py).

From the code: whole 448x256 frames of Vimeo-90K, flips and time reversal, Charbonnier loss with eps
1e-6 on the rectified frame only, AdaMax. Recalled from the paper: batch 2, learning rate 1e-4 for
kernels, context and synthesis, 1e-6 for flow and 1e-7 for depth; 30 epochs, then 10 at a fifth of
that. The defaults of the code (5e-4, decay on a plateau) belong to its published command and differ
from the paper. The number of steps is for all 51,313 training triplets of Vimeo-90K, of which the
last 5 % are held out here.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, steps_down
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._small import TEACHER, flow_only, guided, pair_distance, small

EPS = 1e-6  # in [0, 1], squared (loss_function.py)
# Learning rate factors of dain/small, chosen, not tuned: flow is pretrained, and depth is
# supervised only by motion.
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
    # Pretrains the flow of dain/small, as the paper starts from a trained PWC-Net:
    # vfi-jax train dain/flow --workdir FLOW ...
    # vfi-jax train dain/small --start-from FLOW/weights ...
    "flow": dataclasses.replace(
        SMALL, loss=flow_only(pair_distance), frozen={"teacher": TEACHER}, batch=6
    ),
    "small": guided(
        dataclasses.replace(SMALL, optimizer=dataclasses.replace(SMALL.optimizer, scale=RATES)),
        pair_distance,
    ),
}
