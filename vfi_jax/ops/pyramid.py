"""Gaussian and Laplacian pyramids: an image at several sizes, finest first."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.ops import _check

BINOMIAL = (1, 4, 6, 4, 1)  # sixteenths; Burt & Adelson 1983, a = 3/8
SMALLEST = 3  # pixels on a side: mirroring two pixels needs two more than the edge


def gaussian_pyramid(image: Image, *, levels: int = 5) -> tuple[Image, ...]:
    """The image and its successively blurred and halved copies.

    Each level is the even rows and columns of the level before, convolved with [1, 4, 6, 4, 1] / 16
    along both axes (mirrored at the edges without repeating the edge pixel).

    Args:
      image: `[*B, H, W, C]`, any float type.
      levels: number of levels; the first is the image itself.

    Returns:
      `levels` arrays, finest first: `[*B, ceil(H / 2^i), ceil(W / 2^i), C]`, the type of `image`.

    Raises:
      ValueError: levels is below 1, or a level to be halved has a side below 3.

    Example:
      >>> _, half = ops.gaussian_pyramid(jnp.zeros((3, 3, 1)).at[0, 1].set(64), levels=2)
      >>> half[..., 0].tolist()
      [[12.0, 12.0], [4.0, 4.0]]

    Source: Burt & Adelson 1983.
    """
    image = _checked(image, levels, halvings=levels - 1)
    pyramid = [image]
    for _ in range(levels - 1):
        pyramid.append(_halve(_halve(pyramid[-1], -3), -2))
    return tuple(pyramid)


def laplacian_pyramid(image: Image, *, levels: int = 5) -> tuple[Image, ...]:
    """The bands of detail lost by each halving, and the remaining low-pass image.

    Band i is level i of the Gaussian pyramid minus level i + 1 upsampled: zeros between its pixels,
    then the same kernel times 4, mirrored. `reconstruct_laplacian` inverts it.

    Args:
      image: `[*B, H, W, C]`, any float type.
      levels: number of bands.

    Returns:
      `levels` bands, finest first, then the remaining low-pass image: `levels + 1` arrays. A loss
      that ignores constant offsets omits the last one.

    Raises:
      ValueError: levels is below 1, or a level to be halved has a side below 3.

    Example:
      >>> band, half = ops.laplacian_pyramid(jnp.zeros((3, 3, 1)).at[0, 1].set(64), levels=1)
      >>> band[..., 0].tolist()
      [[-10.0, 54.0, -10.0], [-8.0, -8.0, -8.0], [-6.0, -6.0, -6.0]]

    Source: Burt & Adelson 1983.
    """
    _checked(image, levels, halvings=levels)
    *finer, smallest = gaussian_pyramid(image, levels=levels + 1)
    coarser = [*finer[1:], smallest]
    bands = [here - _like(below, here) for here, below in zip(finer, coarser, strict=True)]
    return (*bands, smallest)


def reconstruct_laplacian(pyramid: tuple[Image, ...]) -> Image:
    """The image whose Laplacian pyramid this is.

    Args:
      pyramid: output of `laplacian_pyramid`: bands, finest first, then the low-pass image.

    Returns:
      `[*B, H, W, C]`, with the shape and type of the first band.

    Raises:
      ValueError: the pyramid is empty, or a level is not half as large as the one before it.

    Example:
      >>> band, half = jnp.zeros((3, 3, 1)).at[0, 1].set(9), jnp.array([[[8.0], [8]], [[0], [0]]])
      >>> ops.reconstruct_laplacian((band, half))[..., 0].tolist()
      [[6.0, 15.0, 6.0], [4.0, 4.0, 4.0], [2.0, 2.0, 2.0]]

    Source: Burt & Adelson 1983.
    """
    if not pyramid:
        raise ValueError("pyramid must have at least the low-pass image, got none")
    *bands, image = (_check.image(level, "each level of pyramid") for level in pyramid)
    for band in reversed(bands):
        half = (*band.shape[:-3], *(-(-size // 2) for size in band.shape[-3:-1]), band.shape[-1])
        _check.shaped(image, half, "a level of pyramid", to=f"the {band.shape} above it")
        image = band + _like(image, band)
    return image


def _checked(image, levels, *, halvings):
    image = _check.image(image)
    if levels < 1:
        raise ValueError(f"levels must be at least 1, got {levels}")
    side = min(image.shape[-3:-1])
    for _ in range(halvings):
        if side < SMALLEST:
            raise ValueError(
                f"image must keep sides of {SMALLEST} pixels down to the last halving, got "
                f"{image.shape} for levels={levels}"
            )
        side = -(-side // 2)
    return image


def _like(small, large):
    """`small` doubled to the size of `large`."""
    return _double(_double(small, -2, large.shape[-2]), -3, large.shape[-3])


def _halve(x, axis):
    size = x.shape[axis]
    padded = jnp.pad(
        x, [(2, 2) if at == axis % x.ndim else (0, 0) for at in range(x.ndim)], "reflect"
    )
    return sum(
        _slice(padded, axis, tap, tap + size, 2) * (weight / 16)
        for tap, weight in enumerate(BINOMIAL)
    )


def _double(x: Array, axis: int, size: int) -> Array:
    # Zeros lie between the pixels: three taps reach a pixel at even positions, two at odd ones. A
    # mirrored even position is the next pixel inwards; past an odd last position it is the last
    # pixel.
    count = x.shape[axis]
    last = count - 1 if size % 2 == 0 else count - 2
    before = jnp.concatenate([_slice(x, axis, 1, 2), _slice(x, axis, 0, count - 1)], axis)
    after = jnp.concatenate([_slice(x, axis, 1, count), _slice(x, axis, last, last + 1)], axis)
    even = (before + 6 * x + after) / 8
    odd = (x + after) / 2
    both = jnp.stack([even, odd], axis=axis % x.ndim + 1)
    shape = (*x.shape[: axis % x.ndim], 2 * count, *x.shape[axis % x.ndim + 1 :])
    return _slice(both.reshape(shape), axis, 0, size)


def _slice(x, axis, start, stop, step=1):
    return x[(..., slice(start, stop, step), *[slice(None)] * (-axis - 1))]
