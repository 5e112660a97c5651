"""AMT (Li et al. 2023, arXiv:2304.09790; the authors' train.py, cfgs and losses/loss.py).

Everything is from the code. Vimeo-90K triplets: 224x224 crops, AdamW without weight decay, cosine
schedule from 2e-4 (AMT-G: 1.5e-4) to 2e-5, batch 24, 300 epochs of 2,138 steps; flips, time
reversal and red/blue swaps. The loss is the Charbonnier and census distance of the frame, plus
0.002 (AMT-G: 0.005) times the robust distance of the coarse flows to a teacher's flows from the
true frame to both inputs. The robustness depends on the worst of the fine fields.

Differences: the code flips vertically with probability 0.3, transposes 5 % of the clips and
magnifies 10 % by two. Its teacher is LiteFlowNet on whole frames; here it is `shared_pyramid`,
whose weights are included, on crops. The number of steps is for all 51,313 training triplets, of
which the last 5 % are held out here.

GoPro (for AMT-S): seven frames between two with a distance of eight, 400 epochs (about 200,000
steps, estimated), no teacher. The authors' code passes every time t as 1 - t here, whether or not
it reversed the clip. This is not reproduced; whether the released file was trained this way is
unknown.
"""

import dataclasses
import functools

import jax.numpy as jnp

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._small import TEACHER
from vfi_jax.training.recipes._teacher import teacher_flows

DISTILLATION, OF_G = 0.002, 0.005  # loss weights (cfgs/AMT-*.yaml)


def without_teacher(prediction, batch, frozen):
    """Loss of the frame only."""
    found, targets = prediction["frames"], batch["targets"]
    parts = {
        "charbonnier": losses.charbonnier(found, targets),
        "census": losses.census(found, targets),
    }
    return sum(parts.values()), parts


def loss(prediction, batch, frozen, *, distillation=DISTILLATION):
    """Loss of the frame plus the distance of the coarse flows to the teacher's."""
    total, parts = without_teacher(prediction, batch, frozen)
    teacher = teacher_flows(batch["frames"], batch["targets"], frozen["teacher"])
    distance = distillation * multi_field_distance(prediction, teacher)
    return total + distance, {**parts, "distillation": distance}


def multi_field_distance(prediction, teacher):
    """`losses.robust_flow_distance` with the field furthest from the teacher's as finest flow.

    Args:
      prediction: the model's prediction at full resolution.
      teacher: `[B, T, 2, H, W, 2]`.
    """
    fields = prediction["fields"]
    apart = jnp.square(fields - teacher[:, :, :, None]).sum(-1, keepdims=True)
    furthest = apart.argmax(3, keepdims=True)
    worst = jnp.take_along_axis(fields, furthest, axis=3)[:, :, :, 0]
    return losses.robust_flow_distance(prediction["flows"][:-1], worst, teacher)


VIMEO = Recipe(
    model="amt",
    loss=loss,
    optimizer=Optimizer("adamw", 2e-4, schedule=cosine(end=2e-5)),
    data=("vimeo90k/triplet",),
    crop=(224, 224),
    batch=24,
    steps=641_400,
    augment=Augment(flip=True, flop=True, reverse=True, channels="reverse"),
    frozen={"teacher": TEACHER},
)

RECIPES = {
    "": VIMEO,
    "s": dataclasses.replace(VIMEO, model="amt/s"),
    "l": dataclasses.replace(VIMEO, model="amt/l"),
    "g": dataclasses.replace(
        VIMEO,
        model="amt/g",
        loss=functools.partial(loss, distillation=OF_G),
        optimizer=dataclasses.replace(VIMEO.optimizer, learning_rate=1.5e-4),
    ),
    "gopro": dataclasses.replace(
        VIMEO,
        model="amt/gopro",
        loss=without_teacher,
        data=("gopro",),
        gaps=(8,),
        targets=7,
        steps=200_000,
        frozen={},
    ),
}
