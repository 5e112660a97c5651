"""Shared settings of the small variants' recipes, sized for training on two CPU cores."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from vfi_jax import losses, ops, registry
from vfi_jax.arrays import Array
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, cosine
from vfi_jax.training.recipe import Loss, Recipe

TEACHER = "shared_pyramid"  # its weights are included in the package
BANDS = 4  # of the Laplacian distance; crops of 32 pixels allow no more
GUIDANCE = 0.01  # weight per pixel of flow error; chosen, not tuned
EPS = 0.5  # pixels; limits the influence of the teacher's own errors
# Distance of a prediction to the teacher's flows `[B, T, 2, H, W, 2]`, from the new frame to both
# inputs.
Distance = Callable[[dict, Array], Array]


def small(recipe: Recipe, model: str, **changes: Any) -> Recipe:
    """A system's recipe for its small variant, trained from scratch.

    Uses Muon, which kept improving in the comparison of docs/log/training.md. Real clips provide
    texture, synthetic ones provide varied motion. `changes` are fields of the recipe.

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


def flow_distance(prediction: dict, teacher: Array) -> Array:
    """Distance in pixels between the teacher's flows and those of a prediction, under the names
    that Voxel Flow, MEMC-Net and DAIN use."""
    flows = jnp.stack([prediction["flow_t0"], prediction["flow_t1"]], axis=2)
    return losses.charbonnier(flows, teacher, eps=EPS)


def pair_distance(prediction: dict, teacher: Array) -> Array:
    """Distance of the flows between both frames to the teacher's, sampled where the teacher's flows
    point: a pixel p of the new frame is at p + to0 in frame 0, and moves by to1 - to0 from there.
    """
    to0, to1 = teacher[:, :, 0], teacher[:, :, 1]
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
    """The recipe with an additional flow loss against a teacher, which learns motion faster.

    Args:
      recipe: recipe of a system that warps both frames.
      distance: distance of a prediction to the teacher's flows.
      weight: weight of the distance in the loss.
    """
    follow = flow_only(distance)

    def loss(prediction, batch, frozen):
        total, parts = recipe.loss(prediction, batch, frozen)
        guidance = weight * follow(prediction, batch, frozen)[0]
        return total + guidance, {**parts, "guidance": guidance}

    return dataclasses.replace(recipe, loss=loss, frozen={**recipe.frozen, "teacher": TEACHER})


def flow_only(distance: Distance) -> Loss:
    """A loss that consists only of the distance to the flows of the frozen "teacher"."""
    teacher = registry.create(TEACHER, precision="default")

    def loss(prediction, batch, frozen):
        flows = teacher.apply(frozen["teacher"], batch["frames"], batch["times"])["flows"][-1]
        guidance = distance(prediction, flows)
        return guidance, {"guidance": guidance}

    return loss
