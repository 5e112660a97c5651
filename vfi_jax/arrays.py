"""The words for arrays: one name for each kind, with its shape; and how they lie on devices.

`*B` is any number of leading axes. Layout is NHWC, RGB in [0, 1], flow in pixels as (x, y).
"""

from collections.abc import Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

Image = Shaped[Array, "*B H W C"]  # any channels, any float type
Flow = Float[Array, "*B H W 2"]  # pixels of its own resolution, (x, y)
Mask = Float[Array, "*B H W 1"]  # 0 .. 1
Frames = Float[Array, "B N H W 3"]  # RGB in [0, 1]
Times = Float[Array, "B T"]  # in input frames, from the window's first

# Axes of `[..., H, W, C]` along which each member of a self-ensemble sees frames flipped.
FLIPS: Mapping[str, tuple[tuple[int, ...], ...]] = MappingProxyType(
    {
        "none": ((),),
        "flip2": ((), (-3, -2)),  # RIFE's 2T: as they are and turned by half a turn
        "flip4": ((), (-2,), (-3,), (-3, -2)),  # Zooming Slow-Mo's flip test
    }
)

__all__ = ["FLIPS", "Array", "Flow", "Frames", "Image", "Mask", "Times", "varying_alike"]


def varying_alike(*arrays: Array) -> tuple[Array, ...]:
    """Arrays that under shard_map vary over the same devices, replicated ones as copies.

    Loops refuse a carry that starts replicated and ends varying, custom gradients a cotangent that
    varies where its argument does not.
    """
    if not jax.sharding.get_abstract_mesh().manual_axes:
        return arrays
    # What a sum varies over is the union of what its terms do; XLA drops the zeros.
    zeros = jnp.int8(0)
    for array in arrays:
        zeros += jnp.zeros_like(array, jnp.int8, shape=())
    return tuple(array + zeros.astype(array.dtype) for array in arrays)
