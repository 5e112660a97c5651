"""Crops and augmentations of clips under jit, equal for all frames of a clip."""

import dataclasses
import math

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array

CHANNEL_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


@dataclasses.dataclass(frozen=True)
class Augment:
    """Augmentations, each applied independently with probability 1/2.

    Attributes:
      flip: flip horizontally.
      flop: flip vertically.
      transpose: swap rows and columns (square crops only; with the flips: all rotations by 90
        degrees).
      reverse: reverse time.
      channels: "reverse" swaps red and blue, "permute" draws one of the six orders, "": none.
      shrink: minimum scale factor of half of all clips before cropping, as far as their size
        allows; 1: no shrinking.
      enlarge: maximum scale factor; 1: no enlarging.
      pan: maximum movement of half of all crops between first and last frame, as a share of the
        crop's sides; 0: none.
      collages: share of the batch replaced by collages of single frames of its clips
        (`data.collage`), whose motion is known; the count is rounded.
    """

    flip: bool = True
    flop: bool = True
    transpose: bool = False
    reverse: bool = True
    channels: str = ""
    shrink: float = 1.0
    enlarge: float = 1.0
    pan: float = 0.0
    collages: float = 0.0

    def __post_init__(self):
        if not 0 < self.shrink <= 1:
            raise ValueError(f"shrink must be in (0, 1], got {self.shrink}")
        if self.enlarge < 1:
            raise ValueError(f"enlarge must be at least 1, got {self.enlarge}")
        if not 0 <= self.pan < 1:
            raise ValueError(f"pan must be in [0, 1), got {self.pan}")
        if not 0 <= self.collages <= 1:
            raise ValueError(f"collages must be in [0, 1], got {self.collages}")
        if self.channels not in ("", "reverse", "permute"):
            raise ValueError(f"channels must be '', 'reverse' or 'permute', got {self.channels!r}")

    def count_collages(self, batch: int) -> int:
        """Number of collages in a batch of this size."""
        return round(self.collages * batch)

    def region(self, crop: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the region to load, so that scaled and moving crops fit."""
        if self.shrink == 1:
            return crop
        height, width = (math.ceil((side + 1) / self.shrink) for side in crop)
        return height, width


NONE = Augment(flip=False, flop=False, reverse=False)


def crop(key: Array, clip: Array, size: Array, shape: tuple[int, int]) -> Array:
    """Random crop, the same for every frame.

    Args:
      key: `jax.random` key.
      clip: `[F, H, W, C]`.
      size: int32 `[2]`, height and width without padding.
      shape: height and width of the crop; the clip must be at least as large.

    Returns:
      `[F, *shape, C]`.
    """
    room = jnp.maximum(size - jnp.asarray(shape), 0) + 1
    place = jnp.floor(jax.random.uniform(key, (2,)) * room).astype(jnp.int32)
    frames, _, _, channels = clip.shape
    return lax.dynamic_slice(clip, (0, place[0], place[1], 0), (frames, *shape, channels))


def moving_crop(
    key: Array, clip: Array, size: Array, shape: tuple[int, int], *, indices: Array, most: float
) -> Array:
    """A crop that moves by whole pixels per frame, like a panning camera.

    Args:
      key: `jax.random` key.
      clip: `[F, H, W, C]`.
      size: int32 `[2]`, height and width without padding.
      shape: height and width of the crop; the clip must be at least as large.
      indices: int32 `[F]`, index of each frame in its clip.
      most: maximum movement, as a share of `shape`.

    Returns:
      `[F, *shape, C]`.
    """
    where, how = jax.random.split(key)
    room = jnp.maximum(size - jnp.asarray(shape), 0)
    since = indices - indices.min()
    span = jnp.maximum(since.max(), 1)
    reach = jnp.minimum(room, most * jnp.asarray(shape))
    speed = jnp.trunc(jax.random.uniform(how, (2,), minval=-1, maxval=1) * reach / span)
    low, high = jnp.maximum(-speed * span, 0), room - jnp.maximum(speed * span, 0)
    start = low + jnp.floor(jax.random.uniform(where, (2,)) * (high - low + 1))
    places = (start + speed * since[:, None]).astype(jnp.int32)

    def cut(frame, place):
        return lax.dynamic_slice(frame, (place[0], place[1], 0), (*shape, frame.shape[-1]))

    return jax.vmap(cut)(clip, places)


def scaled_crop(
    key: Array,
    clip: Array,
    size: Array,
    shape: tuple[int, int],
    *,
    least: float = 1.0,
    most: float = 1.0,
) -> Array:
    """`crop` of a clip that is scaled first with probability 1/2.

    Sampling is antialiased; a small clip is shrunk only as far as the crop still fits.

    Args:
      key: `jax.random` key.
      clip: uint8 `[F, H, W, C]`.
      size: int32 `[2]`, height and width without padding.
      shape: height and width of the crop; the clip must be at least as large.
      least: minimum scale factor, at most 1.
      most: maximum scale factor, at least 1.

    Returns:
      uint8 `[F, *shape, C]`.
    """
    whether, where, how = jax.random.split(key, 3)
    # One pixel of margin: the neighbour beyond the crop is read and must not be padding.
    smallest = jnp.clip(jnp.max((jnp.asarray(shape) + 1) / size), least, 1)
    factor = jnp.exp(jax.random.uniform(how, minval=jnp.log(smallest), maxval=jnp.log(most)))
    factor = jnp.where(jax.random.bernoulli(whether), factor, 1.0)
    margin = jnp.where(factor == 1, 0.0, 0.5 * jnp.maximum(factor, 1))
    room = jnp.maximum(size - jnp.ceil((jnp.asarray(shape) + margin) / factor), 0) + 1
    place = jnp.floor(jax.random.uniform(where, (2,)) * room)
    frames, _, _, channels = clip.shape
    out = jax.image.scale_and_translate(
        clip.astype(jnp.float32),
        (frames, *shape, channels),
        (1, 2),
        jnp.stack([factor, factor]),
        -place * factor,
        "linear",
    )
    return jnp.round(out).astype(jnp.uint8)


def reverse(key: Array, indices: Array, length: Array, options: Augment) -> Array:
    """Frame indices in order or in reverse, at random.

    Args:
      key: `jax.random` key.
      indices: int32 of any shape, each below `length`.
      length: number of frames of the clip.
      options: the augmentations.

    Returns:
      Indices of the clip's frames, of the same shape.
    """
    if not options.reverse:
        return indices
    return jnp.where(jax.random.bernoulli(key), length - 1 - indices, indices)


def augment(key: Array, clip: Array, options: Augment) -> Array:
    """Apply the same random augmentation to all frames, except the time reversal (`reverse`).

    Args:
      key: `jax.random` key.
      clip: `[F, H, W, 3]`.
      options: the augmentations.

    Returns:
      `[F, H, W, 3]`.

    Raises:
      ValueError: `transpose` with frames that are not square.
    """
    clip = jnp.asarray(clip)
    coins = jax.random.bernoulli(key, shape=(4,))
    if options.flip:
        clip = jnp.where(coins[0], clip[:, :, ::-1], clip)
    if options.flop:
        clip = jnp.where(coins[1], clip[:, ::-1], clip)
    if options.transpose:
        if clip.shape[1] != clip.shape[2]:
            raise ValueError(f"transpose needs square crops, got {clip.shape[1:3]}")
        clip = jnp.where(coins[2], clip.swapaxes(1, 2), clip)
    if options.channels == "reverse":
        clip = jnp.where(coins[3], clip[..., ::-1], clip)
    if options.channels == "permute":
        order = jax.random.randint(jax.random.fold_in(key, 1), (), 0, len(CHANNEL_ORDERS))
        clip = clip[..., jnp.asarray(CHANNEL_ORDERS)[order]]
    return clip
