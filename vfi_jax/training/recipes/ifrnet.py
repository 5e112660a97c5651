"""IFRNet (Kong et al. 2022, arXiv:2205.14620; the authors' train_vimeo90k.py and train_gopro.py).

Everything is from the code. Vimeo-90K triplets: 224x224 crops, AdamW without weight decay, cosine
schedule from 1e-4 to 1e-5, batch 4 x 6, 300 epochs of 2,138 steps; flips, time reversal and
red/blue swaps. The loss is the Charbonnier and census distance of the frame, plus 0.01 times the
geometry loss of the features, plus 0.01 times the distance of the coarse flows to a teacher's flows
from the true frame to both inputs.

Differences: the code flips vertically with probability 0.3, rotates 5 % of the clips and magnifies
10 % by two. Its teacher is LiteFlowNet; here it is `shared_pyramid`, whose weights are included.
The number of steps is for all 51,313 training triplets, of which the last 5 % are held out here.

GoPro: seven frames between two with a distance of eight, batch 4 x 2, 600 epochs (about 200,000
steps, estimated), no teacher.
"""

import dataclasses

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._small import TEACHER
from vfi_jax.training.recipes._teacher import teacher_flows

GEOMETRY = DISTILLATION = 0.01  # loss weights (models/IFRNet.py, forward)


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
    """Loss of the frame and features plus the distance of the coarse flows to the teacher's."""
    total, parts = without_teacher(prediction, batch, frozen)
    *coarse, finest = prediction["flows"]
    teacher = teacher_flows(batch["frames"], batch["targets"], frozen["teacher"])
    distillation = DISTILLATION * losses.robust_flow_distance(coarse, finest, teacher)
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
