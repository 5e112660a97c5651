"""SepConv (Niklaus et al. 2017, arXiv:1708.01692, sec. 3.2 and 4); no training code was released.

Certain: AdaMax, 128x128 crops, L1 or relu4_4 loss. From the defaults of a re-implementation:
learning rate 1e-3, 10 epochs. Recalled from the paper: betas, batch 16, 250,000 patches. The
patches of the paper come from YouTube videos and were never published; this recipe uses Vimeo-90K
triplets.
"""

import dataclasses

import jax.numpy as jnp

from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes._features import features
from vfi_jax.training.recipes._small import guided, small

GUIDANCE = 0.03  # best of 0.01, 0.03 and 0.1; without it the kernels only average for a long time


def l1(prediction, batch, frozen):
    """The L1 distance ("l1", higher PSNR)."""
    parts = {"l1": losses.l1(prediction["frames"], batch["targets"])}
    return parts["l1"], parts


def kernel_distance(prediction, flows):
    """Squared distance of the kernels to kernels that sample both frames bilinearly along flows.

    Each frame has weight 1/2. Motion beyond the kernels' reach is clamped to the last tap.
    """

    def sampling(positions, taps):
        reach = taps // 2
        positions = jnp.clip(positions, -reach, reach)[..., None]
        offsets = jnp.arange(taps) - reach
        return jnp.sqrt(0.5) * jnp.maximum(0, 1 - jnp.abs(offsets - positions))

    total = 0.0
    for index, name in enumerate(("kernels1", "kernels2")):
        flow = flows[:, 0, index]
        for kernel, axis in zip(prediction[name], (flow[..., 1], flow[..., 0]), strict=True):
            error = kernel - sampling(axis, kernel.shape[-1])
            total += jnp.square(error).sum(axis=-1).mean()
    return total


L1 = Recipe(
    model="sepconv",
    loss=l1,
    optimizer=Optimizer("adamax", 1e-3),
    data=("vimeo90k/triplet",),
    crop=(128, 128),
    batch=16,
    steps=156_250,
    augment=Augment(flip=True, flop=True, reverse=True),
)

RECIPES = {
    "": L1,
    "l1": dataclasses.replace(L1, model="sepconv/l1"),
    "small": guided(small(L1, "sepconv/small"), kernel_distance, weight=GUIDANCE),
    # The paper fine-tunes the L1 model with the feature loss.
    "lf": dataclasses.replace(
        L1,
        model="sepconv/lf",
        loss=features,
        frozen={"vgg19": "vgg19"},
        start_from={"": "sepconv/l1"},
    ),
}
