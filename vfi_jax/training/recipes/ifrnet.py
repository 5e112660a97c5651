"""IFRNet (Kong et al. 2022, arXiv:2205.14620; the authors' train_vimeo90k.py and train_gopro.py).

All from the code. Vimeo-90K triplets: 224x224 crops, AdamW without weight decay, learning rate 1e-4
by a cosine to 1e-5, 4 x 6 triplets in a step, 300 epochs of 2,138 steps; flips, time reversal and
swapped red and blue. (It draws up-down flips with 0.3, turns one clip in twenty and enlarges one in
ten twice.) Charbonnier and census distance of the frame, 0.01 times the geometry of the features,
0.01 times the distance of the coarse flows to a teacher's between the true frame and the others.
The authors' teacher is LiteFlowNet; here it is the default, whose weights come with the package.
The number of steps counts all 51,313 training triplets, of which the last 5 % are held out here.

GoPro: seven frames between two that are eight apart, 4 x 2 such windows in a step, 600 epochs (some
200,000 steps, not counted), no teacher.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._small import TEACHER
from vfi_jax.training.recipes._teacher import taught_flows

GEOMETRY = DISTILLATION = 0.01  # weights (models/IFRNet.py, forward)


def without_teacher(prediction, batch, frozen):
    """Loss of the frame, and of the intermediate features against the target's features."""
    found, targets = prediction["frames"], batch["targets"]
    features = zip(prediction["features"], prediction["target_features"], strict=True)
    parts = {
        "charbonnier": losses.charbonnier(found, targets),
        "census": losses.census(found, targets),
        "geometry": GEOMETRY * sum(losses.geometry(*pair) for pair in features),
    }
    return sum(parts.values()), parts


def loss(prediction, batch, frozen):
    """The same plus the distance of the coarse flows to the teacher's."""
    total, parts = without_teacher(prediction, batch, frozen)
    *coarse, finest = prediction["flows"]
    taught = taught_flows(batch["frames"], batch["targets"], frozen["teacher"])
    distillation = DISTILLATION * losses.robust_flow_distance(coarse, finest, taught)
    return total + distillation, {**parts, "distillation": distillation}


VIMEO = Recipe(
    model="ifrnet",
    loss=loss,
    optimizer=Optimizer("adamw", 1e-4, schedule=cosine(end=1e-5)),
    data=("vimeo90k/triplet",),
    crop=(224, 224),
    batch=24,
    steps=641_400,
    augment=Augment(flip=True, flop=True, reverse=True, channels="reverse"),
    frozen={"teacher": TEACHER},
)
GOPRO = dataclasses.replace(
    VIMEO,
    model="ifrnet/gopro",
    loss=without_teacher,
    data=("gopro",),
    gaps=(8,),
    targets=7,
    batch=8,
    steps=200_000,
    frozen={},
)

RECIPES = {
    "": VIMEO,
    "l": dataclasses.replace(VIMEO, model="ifrnet/l"),
    "s": dataclasses.replace(VIMEO, model="ifrnet/s"),
    "gopro": GOPRO,
}
