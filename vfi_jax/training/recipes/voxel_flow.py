"""Deep Voxel Flow (Liu et al. 2017, arXiv:1702.02463, sec. 3.2 and 4).

Recalled from the paper: L1 + 0.01 TV(motion) + 0.005 TV(mask), Adam with learning rate 1e-4, batch
32, 256x256, 240,000 triplets of consecutive frames with obvious motion. Neither published code
contains the TV terms; the PyTorch port trains with mean squared error on resized images, which this
recipe does not follow.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._small import guided, small

MOTION_WEIGHT = 0.01  # lambda 1
MASK_WEIGHT = 0.005  # lambda 2
EPS = 1e-3  # of both total variations


def loss(prediction, batch, frozen):
    """L1 plus the total variations of motion and mask."""
    parts = {
        "l1": losses.charbonnier(prediction["frames"], batch["targets"], eps=EPS),
        "motion": MOTION_WEIGHT * losses.total_variation(prediction["motion"], eps=EPS),
        "mask": MASK_WEIGHT * losses.total_variation(prediction["mask"], eps=EPS),
    }
    return sum(parts.values()), parts


BASE = Recipe(
    model="voxel_flow",
    loss=loss,
    optimizer=Optimizer("adam", 1e-4),
    data=("video_folder",),
    gaps=(2,),
    crop=(256, 256),
    batch=32,
    steps=150_000,
    augment=Augment(flip=True, flop=True, reverse=True),
)

RECIPES = {
    "": BASE,
    "extrapolation": dataclasses.replace(BASE, model="voxel_flow/extrapolation", gaps=(1,)),
    "small": guided(small(BASE, "voxel_flow/small")),
}
