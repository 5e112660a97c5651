"""Moving pixels between space and channels."""

from vfi_jax import meshes
from vfi_jax.arrays import Image
from vfi_jax.ops import _check


def pixel_shuffle(x: Image, factor: int) -> Image:
    """Spread groups of channels over space (depth to space).

    out(factor y + i, factor x + j, c) = x(y, x, c factor^2 + i factor + j)

    Args:
      x: `[*B, H, W, C factor^2]`, any type.
      factor: how much larger height and width become.

    Returns:
      `[*B, factor H, factor W, C]`, the type of `x`.

    Raises:
      ValueError: the channels are not a multiple of factor^2, or there are fewer than 3 axes.

    Example:
      >>> ops.pixel_shuffle(jnp.arange(4).reshape(1, 1, 4), 2)[..., 0].tolist()
      [[0, 1], [2, 3]]

    Source: Shi et al. 2016; the channel order is PyTorch's.
    """
    x = _check.pixels(x, "x")
    *batch, height, width, channels = x.shape
    factor = _check.whole(factor, "factor")
    if channels % factor**2:
        raise ValueError(
            f"x must have a multiple of factor^2 = {factor**2} channels, got {channels}"
        )
    split = (*batch, height, width, channels // factor**2, factor, factor)
    joined = (*batch, height * factor, width * factor, channels // factor**2)
    # [..., y, x, c, i, j] -> [..., y, i, x, j, c]
    return _moved(x, split, (0, 3, 1, 4, 2), joined)


def pixel_unshuffle(x: Image, factor: int) -> Image:
    """Gather blocks of pixels into channels (space to depth); undoes `pixel_shuffle`.

    out(y, x, c factor^2 + i factor + j) = x(factor y + i, factor x + j, c)

    Args:
      x: `[*B, factor H, factor W, C]`, any type.
      factor: how much smaller height and width become.

    Returns:
      `[*B, H, W, C factor^2]`, the type of `x`.

    Raises:
      ValueError: height or width is not a multiple of factor, or there are fewer than 3 axes.

    Example:
      >>> ops.pixel_unshuffle(jnp.arange(8).reshape(2, 4, 1), 2).tolist()
      [[[0, 1, 4, 5], [2, 3, 6, 7]]]

    Source: the inverse of Shi et al. 2016; the channel order is PyTorch's.
    """
    x = _check.pixels(x, "x")
    *batch, height, width, channels = x.shape
    factor = _check.whole(factor, "factor")
    if height % factor or width % factor:
        raise ValueError(
            f"x must have height and width that are multiples of {factor}, got {height} x {width}"
        )
    split = (*batch, height // factor, factor, width // factor, factor, channels)
    joined = (*batch, height // factor, width // factor, channels * factor**2)
    # [..., y, i, x, j, c] -> [..., y, x, c, i, j]
    return _moved(x, split, (0, 2, 4, 1, 3), joined)


def _moved(x, split, order, joined):
    """`x` with its last three axes split into five, those reordered and joined to three again."""
    lead = len(split) - 5
    axes = (*range(lead), *(lead + axis for axis in order))
    return meshes.automatic(lambda x: x.reshape(split).transpose(axes).reshape(joined), x)
