"""Losses: scalars to minimise, float32 whatever comes in.

Images are channels last and of any leading axes; every loss is a mean, so its size does not depend
on the batch or the crop.
"""

from vfi_jax.losses.census import census, geometry
from vfi_jax.losses.distillation import flow_distillation, robust_flow_distance
from vfi_jax.losses.flow import total_variation
from vfi_jax.losses.laplacian import laplacian
from vfi_jax.losses.perceptual import perceptual, perceptual_l1, style
from vfi_jax.losses.pixel import charbonnier, l1

__all__ = [
    "census",
    "charbonnier",
    "flow_distillation",
    "geometry",
    "l1",
    "laplacian",
    "perceptual",
    "perceptual_l1",
    "robust_flow_distance",
    "style",
    "total_variation",
]
