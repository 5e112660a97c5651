"""Losses: scalars to minimise, float32 whatever comes in.

Images are channels last and of any leading axes; every loss is a mean, so its size does not depend
on the batch or the crop.
"""

from vfi_jax.losses.flow import total_variation
from vfi_jax.losses.perceptual import perceptual
from vfi_jax.losses.pixel import charbonnier, l1

__all__ = ["charbonnier", "l1", "perceptual", "total_variation"]
