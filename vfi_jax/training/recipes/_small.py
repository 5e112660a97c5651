"""What the recipes of the small variants share: sizes that two CPU cores can do."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from vfi_jax import losses, ops, registry
from vfi_jax.arrays import Array
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Loss, Recipe

TEACHER = "shared_pyramid"  # its weights come with the package
BANDS = 4  # of a Laplacian distance, so that crops of 32 pixels have them
GUIDANCE = 0.01  # weight of a pixel of flow's error; chosen, not tuned
EPS = 0.5  # pixels: where the teacher is surely wrong by more, it pulls no harder
# Of a prediction to the teacher's flows `[B, T, 2, H, W, 2]`, from the new frame to both others.
Distance = Callable[[dict, Array], Array]


def small(recipe: Recipe, model: str, **changes: Any) -> Recipe:
    """A system's recipe for its small variant, from fresh parameters.

    Muon, which went on gaining in the comparison of docs/training_log.md; real clips for their
    texture, synthetic ones for motion that no real clip shows twice. `changes` are fields of the
    recipe.

        vfi-jax train MODEL --data-dir VIDEOS --resident --workdir DIR
    """
    fields: dict[str, Any] = {
        "optimizer": Optimizer("muon", 1e-2, schedule=cosine(warmup=100, end=1e-5), clip=1.0),
        "data": ("video_folder", "synthetic"),
        "gaps": (2,),
        "crop": (96, 96),
        "batch": 4,
        "steps": 2000,
        "augment": Augment(transpose=True, channels="permute"),
        "ema": 0.998,
        "start_from": {},
        "fine_tuning": {},
    }
    return dataclasses.replace(recipe, model=model, **{**fields, **changes})


def flow_distance(prediction: dict, taught: Array) -> Array:
    """Between the flows of a prediction that names them as Voxel Flow, MEMC-Net and DAIN do, in
    pixels, and the teacher's."""
    flows = jnp.stack([prediction["flow_t0"], prediction["flow_t1"]], axis=2)
    return losses.charbonnier(flows, taught, eps=EPS)


def pair_distance(prediction: dict, taught: Array) -> Array:
    """Between the flows from each frame to the other and the teacher's, where those meet a frame:
    what is at p between them lies at p + to0 in frame 0, and moves by to1 - to0 from there."""
    to0, to1 = taught[:, :, 0], taught[:, :, 1]
    distances = []
    for flow, start, end in (("flow01", to0, to1), ("flow10", to1, to0)):
        flows = jnp.broadcast_to(prediction[flow][:, None], start.shape)
        met = ops.backward_warp(flows, start, padding="border")
        distances.append(losses.charbonnier(met, end - start, eps=EPS))
    return sum(distances, start=jnp.float32(0))


def guided(
    recipe: Recipe,
    distance: Distance = flow_distance,
    *,
    weight: float = GUIDANCE,
) -> Recipe:
    """The recipe with a teacher of flow: frames alone take long to tell where things moved.

    Args:
      recipe: of a system that moves pixels of both frames.
      distance: of a prediction to the teacher's flows.
      weight: of the distance in the loss.
    """
    follow = following(distance)

    def loss(prediction, batch, frozen):
        total, parts = recipe.loss(prediction, batch, frozen)
        guidance = weight * follow(prediction, batch, frozen)[0]
        return total + guidance, {**parts, "guidance": guidance}

    return dataclasses.replace(recipe, loss=loss, frozen={**recipe.frozen, "teacher": TEACHER})


def following(distance: Distance) -> Loss:
    """The loss that is nothing but the distance to the flows of the frozen "teacher"."""
    teacher = registry.create(TEACHER, precision="default")

    def loss(prediction, batch, frozen):
        taught = teacher.apply(frozen["teacher"], batch["frames"], batch["times"])["flows"][-1]
        guidance = distance(prediction, taught)
        return guidance, {"guidance": guidance}

    return loss
