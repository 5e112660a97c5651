"""Inter-frame window attention, which extracts appearance and motion from one attention map."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import DepthwiseConv
from vfi_jax.layers.pairs import size_of
from vfi_jax.layers.window_transformer import APART, Projection, attend

WINDOW = 7  # tokens along a side
SHIFT = 3  # of every second block's windows, in tokens
HEAD = 32  # channels
EXPANSION = 4  # of the feed-forward network
EPSILON = 1e-6  # of the layer norms (config.py of the released code)

SMALL = nn.initializers.truncated_normal(0.02)  # for every linear map (released code)
FAN_OUT = nn.initializers.variance_scaling(2.0, "fan_out", "normal")  # for every convolution
EACH_TAP = nn.initializers.normal((2 / 9) ** 0.5)  # the same for a depthwise 3x3 convolution


class InterFrameStage(nn.Module):
    """A scan over blocks of inter-frame attention; every second block shifts its windows.

    Attributes:
      depth: number of blocks.
      motion: motion channels per block.
      dtype: type of the projections; scores, softmax, norms, tokens and motion stay float32.

    Parameters: those of an `InterFrameBlock` under "block", with a first axis of length `depth`.

    Source: Zhang et al. 2023 (EMA-VFI, arXiv:2303.00440), sec. 3.
    """

    depth: int
    motion: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, tokens: Image) -> tuple[Image, Image]:
        """New tokens `[B, 2, H, W, C]` of both frames, and the motion features of all blocks."""
        shifts = [SHIFT * (index % 2) for index in range(self.depth)]
        kinds = np.stack([regions(size_of(tokens), shift) for shift in shifts])
        blocks = nn.scan(
            InterFrameBlock,
            variable_axes={"params": 0, "intermediates": 0},  # the latter where they are captured
            split_rngs={"params": True},
            out_axes=-2,
        )
        block = blocks(self.motion, self.dtype, name="block")
        tokens, motion = block(tokens, (jnp.asarray(shifts), jnp.asarray(kinds)))
        return tokens, motion.reshape(*motion.shape[:-2], -1)


class InterFrameBlock(nn.Module):
    """Cross-attention of each frame's tokens to the same window of the other frame.

    The same attention weights average the other frame's values (appearance) and the embedding of
    its coordinates (motion).

    Attributes:
      motion: channels of motion.
      dtype: type of the projections.
    """

    motion: int
    dtype: Any

    @nn.compact
    def __call__(self, tokens: Image, kind: tuple[Array, Array]) -> tuple[Image, Image]:
        """New tokens, and the motion from each, `[B, 2, H, W, motion]`.

        Args:
          tokens: `[B, 2, H, W, C]` float32.
          kind: shift of the windows, and region index of each token `[windows, tokens]`: tokens of
            different regions do not attend to each other.
        """
        shift, numbers = kind
        size, channels = size_of(tokens), tokens.shape[-1]
        heads = channels // HEAD
        # Padded tokens are zeros, so the norm returns its bias; their coordinate is the centre's.
        own = self._norm("norm0")(_windows(tokens, shift))
        place = self._linear(self.motion, "place", jnp.float32)(_windows(_coordinates(size), shift))
        key, value = jnp.split(self._linear(2 * channels, "key_value")(own)[:, ::-1], 2, axis=-1)
        query, key, value, placed = (
            _split(x, heads) for x in (self._linear(channels, "query")(own), key, value, place)
        )
        placed = jnp.broadcast_to(placed, (*value.shape[:-1], placed.shape[-1]))
        apart = numbers[:, None, :, None] != numbers[:, None, None, :]
        found = attend(
            query,
            key,
            jnp.concatenate([value, placed], axis=-1),
            jnp.where(apart, APART, 0.0),
        )
        appearance = self._linear(channels, "merge")(_merged(found[..., :HEAD]))
        moved = _merged(found[..., HEAD:]) - place
        motion = self._linear(self.motion, "motion", jnp.float32)(moved)
        # The residual adds to the normalised tokens, as in the training of the released weights.
        tokens = _whole(own + appearance, shift, size)
        return tokens + self._feed_forward(tokens), _whole(motion, shift, size)

    def _feed_forward(self, tokens):
        channels = tokens.shape[-1]
        hidden = self._linear(EXPANSION * channels, "expand")(self._norm("norm1")(tokens))
        mixed = DepthwiseConv(
            dtype=self.dtype,
            kernel_init=EACH_TAP,
            bias_init=nn.initializers.zeros,
            name="mix",
        )
        hidden = nn.gelu(mixed(hidden).astype(jnp.float32), approximate=False)
        return self._linear(channels, "shrink")(hidden)

    def _linear(self, features, name, dtype=None):
        return Projection(features, dtype=dtype or self.dtype, kernel_init=SMALL, name=name)

    def _norm(self, name):
        return nn.LayerNorm(epsilon=EPSILON, use_fast_variance=False, name=name)


def _coordinates(size):
    """x and y from -1 to 1, `[1, 1, height, width, 2]` float32."""
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in size)
    return np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1)[None, None]


def _beside(size):
    """Padding (before, after) of each axis to complete windows."""
    missing = [-length % WINDOW for length in size]
    return [(total // 2, total - total // 2) for total in missing]


def _windows(x, shift):
    """`[A, B, H, W, C]` padded with zeros and rolled, as `[A, B, windows, tokens, C]`."""
    x = jnp.pad(x, ((0, 0), (0, 0), *_beside(x.shape[2:4]), (0, 0)))
    x = jnp.roll(x, (-shift, -shift), axis=(2, 3))
    first, second, height, width, channels = x.shape
    shape = (first, second, height // WINDOW, WINDOW, width // WINDOW, WINDOW, channels)
    return x.reshape(shape).swapaxes(3, 4).reshape(first, second, -1, WINDOW**2, channels)


def _whole(x, shift, size):
    """The inverse of `_windows` for maps of this size."""
    (above, below), (left, right) = _beside(size)
    height, width = above + size[0] + below, left + size[1] + right
    shape = (*x.shape[:2], height // WINDOW, width // WINDOW, WINDOW, WINDOW, x.shape[-1])
    x = x.reshape(shape).swapaxes(3, 4).reshape(*x.shape[:2], height, width, x.shape[-1])
    x = jnp.roll(x, (shift, shift), axis=(2, 3))
    return x[:, :, above : above + size[0], left : left + size[1]]


def _split(x, heads):
    """`[..., tokens, C]` as `[..., heads, tokens, C / heads]`."""
    return x.reshape(*x.shape[:-1], heads, -1).swapaxes(-2, -3)


def _merged(x):
    """The inverse of `_split`."""
    x = x.swapaxes(-2, -3)
    return x.reshape(*x.shape[:-2], -1)


def regions(size: tuple[int, int], shift: int) -> np.ndarray:
    """Region index of each token `[windows, tokens]`: equal where attention is allowed.

    Padding is separate from the frame, and so are tokens from opposite edges that the shift made
    neighbours. Padding is marked at its position before the shift, in shifted windows too, as in
    the training of the released weights.
    """
    numbers: np.ndarray = np.zeros((), np.int32)
    for (before, behind), length in zip(_beside(size), size, strict=True):
        padding = np.repeat([0, 1, 2], [before, length, behind])
        wrapped = np.zeros_like(padding)
        if shift:
            wrapped = np.repeat([0, 1, 2], [len(padding) - WINDOW, WINDOW - shift, shift])
        numbers = 9 * np.expand_dims(numbers, -1) + 3 * padding + wrapped
    rows, columns = (side // WINDOW for side in numbers.shape)
    numbers = numbers.reshape(rows, WINDOW, columns, WINDOW).swapaxes(1, 2)
    return numbers.reshape(rows * columns, WINDOW**2).astype(np.int32)
