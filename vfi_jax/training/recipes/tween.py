"""Tween (no paper): trained on clips and distilled from two releases of Practical-RIFE.

Around each pixel, the teacher with the smaller frame error is used. Every estimate is compared with
that teacher's flow, with the spatial gradient of the flow, and with its blending weights. The frame
is compared with the true frame by L1, Laplacian pyramids and HaarPSI, which detects torn and
doubled edges better than PSNR. Where the teacher's frame is wrong, its flow has less weight and its
frame is a second target: no flow reproduces the true frame there, and the mean of the plausible
frames is a double exposure. Magnified frames provide larger motion, and half of the crops pan
across the clip. Crops are large: in 192x192 pixels every position at 1/32 of the resolution is
close to a border, and a network trained on them loses camera pans in larger frames.

The teachers are the released weights (MIT): `vfi-jax convert practical_rife/4.6`, and 4.25.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax
from flax import linen as nn

from vfi_jax import losses, metrics, ops, registry
from vfi_jax.arrays import Array, Frames, Image
from vfi_jax.data.augment import Augment
from vfi_jax.layers.conv import average_pool
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._fine_tuning import fine_tuning

TEACHERS = {"first": "practical_rife/4.6", "second": "practical_rife/4.25"}
# Chosen, not tuned. Flow, change and blend are means over the levels.
WEIGHTS = {
    "laplacian": 1.0,
    "charbonnier": 2.0,
    "haarpsi": 0.6,
    "teacher": 0.5,
    "flow": 0.15,
    "change": 0.06,
    "blend": 0.02,
}
POWER = 0.5  # exponent of flow errors, which reduces the influence of large ones
FAINT = 0.05  # pixels; smaller flow errors contribute little
TRUSTED = 0.03  # mean absolute error of a teacher's frame at which its trust is 1/2
HALVINGS = 3  # downscaling of the errors before teachers are compared, by blocks of 8x8 pixels
UNSEEN = 0.25  # weight of a flow where the teacher does not use its frame
DOUBTED = 0.3  # weight of flow and blending weights where the teacher is wrong


class Teacher(NamedTuple):
    """Prediction of the better teacher for every pixel.

    Attributes:
      flow: `[*B, 2, H, W, 2]` pixels.
      weight: `[*B, H, W, 1]`, weight of frame 0.
      trust: `[*B, H, W, 1]`, from 0 to 1.
      frame: `[*B, H, W, 3]`.
    """

    flow: Array
    weight: Array
    trust: Array
    frame: Image


def loss(prediction, batch, frozen):
    """Weighted sum of the distances of the frame, of the flows and of the blending weights."""
    frames, targets = prediction["frames"], batch["targets"]
    teacher = better([answer(name, frozen[key], batch) for key, name in TEACHERS.items()], targets)
    flows, logits = (prediction[name][:-1] for name in ("flows", "logits"))  # the last: enlarged
    levels = [
        (flow, logit, shrunk(teacher, flow.shape[-2]), targets.shape[-2] / flow.shape[-2])
        for flow, logit in zip(flows, logits, strict=True)
    ]
    parts = {
        **_frame_parts(frames, targets),
        "teacher": frame_distance(frames, teacher),
        "flow": _mean(flow_distance(scale * flow, at) for flow, _, at, scale in levels),
        "change": _mean(change_distance(scale * flow, at) for flow, _, at, scale in levels),
        "blend": _mean(blend_distance(logit, at) for _, logit, at, _ in levels),
    }
    return _weighted(parts), parts


def without_teacher(prediction, batch, frozen):
    """The part of `loss` that needs no teacher, for fine-tuning."""
    parts = _frame_parts(prediction["frames"], batch["targets"])
    return _weighted(parts), parts


def answer(name: str, variables: dict, batch: dict) -> dict:
    """A teacher's finest "flow", "logit" and "frame", `[B, T, ...]`."""
    teacher = registry.create(name, precision="default")
    prediction: Any = teacher.apply(variables, batch["frames"], batch["times"])
    return {
        "flow": prediction["flows"][-1],
        "logit": prediction["logits"][-1],
        "frame": prediction["frames"],
    }


def better(answers: list[dict], targets: Frames) -> Teacher:
    """The prediction of the teacher with the smaller error around each pixel."""
    first, second = answers
    errors = [_around(jnp.abs(one["frame"] - targets).mean(-1, keepdims=True)) for one in answers]
    take = errors[1] < errors[0]
    return Teacher(
        flow=jnp.where(take[..., None, :, :, :], second["flow"], first["flow"]),
        weight=nn.sigmoid(jnp.where(take, second["logit"], first["logit"])),
        trust=1 / (1 + jnp.square(jnp.minimum(*errors) / TRUSTED)),
        frame=jnp.where(take, second["frame"], first["frame"]),
    )


def shrunk(teacher: Teacher, width: int) -> Teacher:
    """The teacher's prediction downscaled; flows stay in full-size pixels."""
    while teacher.trust.shape[-2] > width:
        teacher = Teacher(*map(average_pool, teacher))
    return teacher


def frame_distance(frame: Image, teacher: Teacher) -> Array:
    """Charbonnier distance to the teacher's frame, weighted by 1 - trust."""
    return ((1 - teacher.trust) * jnp.sqrt(jnp.square(frame - teacher.frame) + 1e-6)).mean()


def flow_distance(flow: Array, teacher: Teacher) -> Array:
    """Distance of flows in full-size pixels, weighted by trust and by the teacher's weights."""
    return 2 * (_counts(teacher) * _rooted(flow - teacher.flow)).mean()  # the sum of both frames'


def change_distance(flow: Array, teacher: Teacher) -> Array:
    """Distance of the spatial differences of flows in full-size pixels, in both directions."""
    error, counts = flow - teacher.flow, _counts(teacher)
    down, right = (
        (counts[..., 1:, :, :] * _rooted(jnp.diff(error, axis=-3))).mean(),
        (counts[..., 1:, :] * _rooted(jnp.diff(error, axis=-2))).mean(),
    )
    return 2 * (down + right)  # the sum of both frames' means


def blend_distance(logit: Array, teacher: Teacher) -> Array:
    """Cross entropy of the weights of frame 0, weighted by trust."""
    return (_trust(teacher) * optax.sigmoid_binary_cross_entropy(logit, teacher.weight)).mean()


def _frame_parts(frames, targets):
    return {
        "laplacian": losses.laplacian(frames, targets),
        "charbonnier": losses.charbonnier(frames, targets),
        "haarpsi": 1 - metrics.haarpsi(frames, targets).mean(),
    }


def _weighted(parts):
    return sum(WEIGHTS[name] * part for name, part in parts.items())


def _rooted(error):
    """The length of errors in pixels to the power `POWER`, `[..., 2]` to `[..., 1]`."""
    return (jnp.sqrt(jnp.square(error).sum(-1, keepdims=True) + 1e-4) + FAINT) ** POWER


def _counts(teacher):
    """Weight of each frame's flow, `[*B, 2, H, W, 1]`."""
    used = jnp.stack([teacher.weight, 1 - teacher.weight], axis=-4)
    return _trust(teacher)[..., None, :, :, :] * (UNSEEN + (1 - UNSEEN) * used)


def _trust(teacher):
    return DOUBTED + (1 - DOUBTED) * teacher.trust


def _around(error):
    """Means over blocks of pixels, upscaled bilinearly."""
    small = error
    for _ in range(HALVINGS):
        small = average_pool(small)
    return ops.resize_bilinear(small, error.shape[-3:-1])


def _mean(distances):
    distances = list(distances)
    return sum(distances) / len(distances)


RECIPES = {
    "": Recipe(
        model="tween",
        loss=loss,
        optimizer=Optimizer("muon", 1e-2, schedule=cosine(warmup=100, end=1e-4), clip=3.0),
        data=("video_folder",),
        gaps=(2, 3, 4, 5, 6, 8),
        crop=(256, 448),
        batch=4,
        steps=12_000,
        augment=Augment(channels="permute", enlarge=1.9, pan=0.45),
        ema=0.998,
        frozen=TEACHERS,
        fine_tuning=fine_tuning(1e-4, loss=without_teacher, frozen={}),
    ),
}
