"""Losses: float32 scalars to minimise, for inputs of any float type.

Images are channels last with any leading axes. Every loss is a mean, so its scale does not depend
on batch or crop size.
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
