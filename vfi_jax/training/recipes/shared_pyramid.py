"""The shared pyramid, a system of this project.

The loss compares the estimates of every scale, so that coarse scales learn from the first step. A
third of the clips are collages with known motion. Times are arbitrary between the inputs. Crop,
batch and steps are sized for four hours on two CPU cores.
"""

import jax
import jax.numpy as jnp

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.layers.conv import average_pool
from vfi_jax.training.optimizer import Optimizer
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._fine_tuning import fine_tuning
from vfi_jax.training.recipes._small import BANDS, small

# Chosen, not tuned.
COARSE = 0.25  # weight of each blend
FAINT = 0.005  # added to distances, so that nearly still clips do not dominate their logarithm
FAINT_SQUARES = 3e-5  # added to the mean squared error: 45 dB
FOLLOW = 0.5  # weight of the flow loss for known motion
EPS = 0.1  # pixels; smaller flow errors contribute little


def every_scale(prediction, batch, frozen):
    """Mean over examples of the logarithms of a distance, of the RMSE and of a flow distance.

    The distance is a weighted sum of the Charbonnier and Laplacian distances of the frame and the
    Charbonnier distances of all blends. The logarithm of the RMSE corresponds to PSNR. For examples
    with known motion, the flow distance sums over all estimates, in pixels of their own resolution.

    The parts are means over the batch before the logarithm; the flow part is 0 for unknown motion.
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
    """Distance of flows `[T, 2, h, w, 2]` of any sizes to a known motion `[T, H, W, 2]`."""
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


BASE = Recipe(model="shared_pyramid", loss=every_scale, optimizer=Optimizer("muon", 1e-2))

RECIPES = {
    "": small(
        BASE,
        "shared_pyramid",
        augment=Augment(transpose=True, channels="permute", shrink=0.6, collages=1 / 3),
        gaps=(2, 3, 4, 6),
        crop=(160, 160),
        batch=6,
        steps=6500,
        ema=0.999,
        fine_tuning=fine_tuning(1e-4),
    ),
}
