"""RIFE (Huang et al. 2022, arXiv:2011.06294, sec. 4.1; the authors' train.py).

All from the code: Vimeo-90K triplets, 224x224 crops, AdamW with weight decay 1e-3 on everything,
learning rate 3e-4 after 2000 steps of warm-up, cosine to 3e-6, batch 64, 300 epochs of 761 steps,
flips, time reversal and swapped red and blue. It turns frames by any right angle; transposing with
the flips comes to the same. `rife/m` draws its times from septuplets, with half the distillation.

`rife/small` has no paper: its estimate is compared at every scale, so that the coarse ones learn
from the first step; a third of its clips are collages, whose motion is known; its times are any of
those between the inputs. Its crops, batch and steps are what two CPU cores do in four hours.
"""

import dataclasses

import jax
import jax.numpy as jnp

from train.optimizer import Optimizer, cosine
from train.recipe import Recipe
from train.recipes._small import BANDS, small
from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.layers.conv import average_pool

DISTILLATION = 0.01  # RIFE.py:83; 0.005 or 0.002 for IFNet_m
# Of rife/small; chosen, not tuned.
COARSE = 0.25  # weight of each blend
FAINT = 0.005  # distance that counts little: frames that hardly move are not worth more
FAINT_SQUARES = 3e-5  # mean squared error that counts little: 45 dB
FOLLOW = 0.5  # weight of the flows where motion is known
EPS = 0.1  # pixels of flow's error that count little


def loss(prediction, batch, frozen, *, distillation=DISTILLATION):
    """Laplacian distances of the frame and of the teacher's, and the distance to its flow."""
    targets = batch["targets"]
    parts = {
        "laplacian": losses.laplacian(prediction["frames"], targets),
        "teacher": losses.laplacian(prediction["teacher_blend"], targets),
        "distillation": losses.flow_distillation(
            prediction["flows"],
            prediction["blends"],
            prediction["teacher_flow"],
            prediction["teacher_blend"],
            targets,
        ),
    }
    return parts["laplacian"] + parts["teacher"] + distillation * parts["distillation"], parts


def any_time(prediction, batch, frozen):
    """The same with the code's smaller weight for IFNet_m."""
    return loss(prediction, batch, frozen, distillation=0.005)


def every_scale(prediction, batch, frozen):
    """The mean of two logarithms of each example: of its distance, which is Charbonnier's and
    Laplacian of the frame and Charbonnier's of all blends, weighted, and of the root of its mean
    squared error, which is PSNR. Where motion is known also the logarithm of the flows' distance to
    it, over all estimates, each in pixels of its own size.

    The parts are means over the batch before the logarithm; unknown motion counts as no distance.
    """
    distances = jax.vmap(_distances)(prediction, batch["targets"])
    weighted = distances["charbonnier"] + distances["laplacian"] + COARSE * distances["coarse"]
    squares = jnp.square(prediction["frames"] - batch["targets"]).mean((1, 2, 3, 4))
    parts = {name: distance.mean() for name, distance in distances.items()}
    root = jnp.log(squares + FAINT_SQUARES) / 2
    total = (jnp.log(weighted + FAINT) + root).mean() / 2
    if "known" in batch:
        known = batch["known"]
        flow = jax.vmap(_flow_distance)(prediction["flows"], batch["motion"], batch["times"])
        parts["flow"] = (known * flow).mean()
        total += FOLLOW * (known * jnp.log(flow)).mean()
    return total, parts


def _distances(prediction, targets):
    return {
        "charbonnier": losses.charbonnier(prediction["frames"], targets),
        "laplacian": losses.laplacian(prediction["frames"], targets, levels=BANDS),
        "coarse": sum(
            losses.charbonnier(blend, _shrunk(targets, blend.shape[-3]))
            for blend in prediction["blends"]
        ),
    }


def _flow_distance(flows, motion, times):
    """Of flows `[T, 2, h, w, 2]` of any sizes to those of a known motion `[T, H, W, 2]`."""
    share = jnp.stack([-times, 1 - times], axis=1)[..., None, None, None]
    wanted, height = share * motion[:, None], motion.shape[-3]
    total = jnp.float32(0)
    for flow in flows:
        size = flow.shape[-3]
        total += losses.charbonnier(flow, _shrunk(wanted, size) * (size / height), eps=EPS)
    return total


def _shrunk(frames, height):
    while frames.shape[-3] > height:
        frames = average_pool(frames)
    return frames


PAPER = Recipe(
    model="rife",
    loss=loss,
    optimizer=Optimizer("adamw", 3e-4, schedule=cosine(warmup=2000, end=3e-6), weight_decay=1e-3),
    data=("vimeo90k/triplet",),
    crop=(224, 224),
    batch=64,
    steps=228_300,
    augment=Augment(flip=True, flop=True, transpose=True, reverse=True, channels="reverse"),
)

RECIPES = {
    "": PAPER,
    "m": dataclasses.replace(PAPER, model="rife/m", loss=any_time, data=("vimeo90k/septuplet",)),
    "small": small(
        PAPER,
        "rife/small",
        loss=every_scale,
        augment=Augment(transpose=True, channels="permute", shrink=0.6, collages=1 / 3),
        gaps=(2, 3, 4, 6),
        crop=(160, 160),
        batch=6,
        steps=6500,
        ema=0.999,
    ),
}
