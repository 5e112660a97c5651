"""SepConv (Niklaus et al. 2017, arXiv:1708.01692, sec. 3.2 and 4); no training code was released.

Certain: AdaMax, 128x128 crops, L1 or relu4_4 loss. From a re-implementation's defaults: learning
rate 1e-3. Recalled from the paper: betas, batch 16, 250,000 patches. The number of steps is 10
epochs of those patches, as the re-implementation runs.
"""

import dataclasses

import jax.numpy as jnp

from train.optimizer import Optimizer
from train.recipe import Recipe
from train.recipes._small import guided, small
from vfi_jax import losses
from vfi_jax.data.augment import Augment
from vfi_jax.networks import vgg19

VGG = vgg19.Model()
LEAST_SUM = 0.2  # of a 1-D kernel; 0.7 where both frames count alike


def l1(prediction, batch, frozen):
    """The L1 distance: "l1", for numbers."""
    parts = {"l1": losses.l1(prediction["frames"], batch["targets"])}
    return parts["l1"], parts


def features(prediction, batch, frozen):
    """Distance of VGG-19's relu4_4: "lf", for looks."""

    def see(frames):
        frames = frames.reshape(-1, *frames.shape[-3:])
        return VGG.apply(frozen["vgg19"], frames)

    parts = {"features": losses.perceptual(prediction["frames"], batch["targets"], see)}
    return parts["features"], parts


def flows(prediction):
    """Where a pixel's kernels have their mean, as flows to both frames.

    Kernels are not normalised; of ones that nearly cancel the mean is held back.
    """

    def mean(kernel):
        taps = kernel.shape[-1]
        offsets = jnp.arange(taps) - taps // 2
        return kernel @ offsets / jnp.maximum(kernel.sum(axis=-1), LEAST_SUM)

    towards = [
        jnp.stack([mean(horizontal), mean(vertical)], axis=-1)
        for vertical, horizontal in (prediction["kernels1"], prediction["kernels2"])
    ]
    return jnp.stack(towards, axis=1)[:, None]


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
    "small": guided(small(L1, "sepconv/small"), flows),
    # The paper tunes the L1 model on the feature loss.
    "lf": dataclasses.replace(
        L1,
        model="sepconv/lf",
        loss=features,
        frozen={"vgg19": "vgg19"},
        start_from={"": "sepconv/l1"},
    ),
}
