"""Array types: one name for each kind, with its shape; and how arrays vary over devices.

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
Times = Float[Array, "B T"]  # in input frames, relative to the window's first

# Axes of `[..., H, W, C]` that are flipped for each member of a self-ensemble.
FLIPS: Mapping[str, tuple[tuple[int, ...], ...]] = MappingProxyType(
    {
        "none": ((),),
        "flip2": ((), (-3, -2)),  # RIFE's 2T: unchanged and rotated by 180 degrees
        "flip4": ((), (-2,), (-3,), (-3, -2)),  # Zooming Slow-Mo's flip test
    }
)

__all__ = ["FLIPS", "Array", "Flow", "Frames", "Image", "Mask", "Times", "varying_alike"]


def varying_alike(*arrays: Array) -> tuple[Array, ...]:
    """Make arrays vary over the same devices under shard_map; replicated ones are copied.

    Loops reject a carry that starts replicated and ends varying; custom gradients reject a varying
    cotangent of a replicated argument.
    """
    if not jax.sharding.get_abstract_mesh().manual_axes:
        return arrays
    # A sum varies over the union of its terms' axes; XLA removes the zeros.
    zeros = jnp.int8(0)
    for array in arrays:
        zeros += jnp.zeros_like(array, jnp.int8, shape=())
    return tuple(array + zeros.astype(array.dtype) for array in arrays)
