"""The words for arrays: one name for each kind, with its shape.

`*B` is any number of leading axes. Layout is NHWC, RGB in [0, 1], flow in pixels as (x, y).
"""

from jaxtyping import Array, Float, Shaped

Image = Shaped[Array, "*B H W C"]  # any channels, any float type
Flow = Float[Array, "*B H W 2"]  # pixels of its own resolution, (x, y)
Mask = Float[Array, "*B H W 1"]  # 0 .. 1
Frames = Float[Array, "B N H W 3"]  # RGB in [0, 1]
Times = Float[Array, "B T"]  # in input frames, from the window's first

__all__ = ["Array", "Flow", "Frames", "Image", "Mask", "Times"]
