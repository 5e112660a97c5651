"""The census transform: every pixel compared with its neighbours."""

import functools

import jax.numpy as jnp

from vfi_jax import meshes
from vfi_jax.arrays import Image
from vfi_jax.ops import _check, _grid, _rows

GREY = (0.2989, 0.5870, 0.1140)  # luma of RGB (ITU-R BT.601)
SOFTNESS = 0.9 / 255  # 0.9 of 255 grey levels (Meister et al. 2018, sec. 3.3)


def census_transform(image: Image, *, window: int = 7, softness: float = SOFTNESS) -> Image:
    """Soft signs of the differences between every pixel and the pixels around it.

    out(p, k) = d / sqrt(softness^2 + d^2) with d = grey(p + offset k) - grey(p); offsets row by row
    over the window, its centre (always 0) included; grey is 0 outside the image.

    Args:
      image: `[*B, H, W, 3]` RGB, or `[*B, H, W, 1]` grey; any float type.
      window: side of the window, odd, in pixels.
      softness: scale of the differences at which the sign saturates, in units of the image. The
        default is for images in [0, 1]; RIFE's ternary loss uses 0.9 on [0, 1].

    Returns:
      `[*B, H, W, window^2]`, between -1 and 1, the type of `image`; computed in float32.

    Raises:
      ValueError: the number of channels is neither 1 nor 3, or window is not odd.

    Example:
      >>> left, right = ops.census_transform(jnp.array([[[0.0], [3]]]), window=3, softness=4.0)[0]
      >>> print(left)
      [0.  0.  0.  0.  0.  0.6 0.  0.  0. ]

    Source: Meister et al. 2018 (UnFlow), after Zabih & Woodfill 1994 and Stein 2004.
    """
    image = _check.image(image)
    if image.shape[-1] not in (1, 3):
        raise ValueError(f"image must have 3 channels (RGB) or 1 (grey), got {image.shape}")
    if window < 1 or window % 2 == 0:
        raise ValueError(f"window must be odd and positive, got {window}")
    grey = image.astype(jnp.float32)
    if image.shape[-1] == 3:
        red, green, blue = jnp.split(grey, 3, axis=-1)
        grey = GREY[0] * red + GREY[1] * green + GREY[2] * blue
    compare = functools.partial(_compare, window=window, softness=softness)
    return meshes.automatic(functools.partial(_grid.each, compare), grey).astype(image.dtype)


def _compare(grey, *, window, softness):
    reach = window // 2
    padded = jnp.pad(grey[..., 0], reach)
    compare = functools.partial(_compare_rows, window=window, softness=softness)
    plan = _rows.Plan(compare, compare, cpu_rows=1, cpu_gradient_rows=1, rows=len(grey))
    return _rows.run(plan, padded, grey[..., 0])


def _compare_rows(lines, grey, *, window, softness):
    """`[R + window - 1, W + window - 1]` around `[R, W]` gives `[R, W, window^2]`."""
    rows, width = grey.shape
    # Neighbours on the leading axis: as the innermost axis they would not be vectorised.
    around = jnp.stack(
        [lines[y : y + rows, x : x + width] for y in range(window) for x in range(window)]
    )
    difference = around - grey[None]
    return jnp.moveaxis(difference / jnp.sqrt(softness**2 + difference**2), 0, -1)
