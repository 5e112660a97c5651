"""Window attention between two feature maps, as in Swin and GMFlow."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vfi_jax.arrays import Array, Image

APART = -100.0  # added to the score of tokens made neighbours by a shift only (Liu et al. 2021)
NORM_EPSILON = 1e-5  # PyTorch's, of LayerNorm
QUERIES = 1024  # queries per step of global attention
WAVELENGTH = 10000.0  # the longest of the position encoding, over 2 pi (Vaswani et al. 2017)
EDGE = 1e-6  # added to the length of an axis (Carion et al. 2020, DETR's code)


class TransformerBlock(nn.Module):
    """Self-attention, then cross-attention with a feed-forward network, without pre-norm.

    Attributes:
      expansion: ratio of hidden to input channels (2 C) of the feed-forward network.
      dtype: type of the projections; scores, softmax, norms and the features stay float32.

    Source: Xu et al. 2022 (GMFlow, arXiv:2111.13680), sec. 3.1.
    """

    expansion: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, source: Image, target: Image, *, windows: int, shifted: bool) -> Image:
        """New features of `source`.

        Args:
          source: `[B, H, W, C]` float32, H and W multiples of `windows`.
          target: like `source`, of the other image.
          windows: number of windows along each axis.
          shifted: shift the windows by half a window down and to the right.
        """

        def attention(name, hidden, to):
            layer = AttentionLayer(hidden, self.dtype, name=name)
            return layer(source, to, windows=windows, shifted=shifted)

        source = attention("self", 0, source)
        return attention("cross", self.expansion, target)


class AttentionLayer(nn.Module):
    """source + norm(merged attention), optionally with a feed-forward network before the norm.

    Attributes:
      expansion: as in `TransformerBlock`; 0: no feed-forward network.
      dtype: type of the projections.
    """

    expansion: int
    dtype: Any

    @nn.compact
    def __call__(self, source: Image, target: Image, *, windows: int, shifted: bool) -> Image:
        channels = source.shape[-1]

        def dense(features, name):
            return Projection(features, use_bias=False, dtype=self.dtype, name=name)

        def norm(name):
            # The fast variance, E[x^2] - E[x]^2, suffers from cancellation in float32.
            return nn.LayerNorm(epsilon=NORM_EPSILON, use_fast_variance=False, name=name)

        projected = (
            dense(channels, name)(x)
            for name, x in (("query", source), ("key", target), ("value", target))
        )
        message = attend_in_windows(*projected, windows=windows, shifted=shifted)
        message = norm("norm0")(dense(channels, "merge")(message))
        if self.expansion:
            both = jnp.concatenate([source, message], axis=-1)
            hidden = nn.gelu(
                dense(self.expansion * both.shape[-1], "ffn0")(both), approximate=False
            )
            message = norm("norm1")(dense(channels, "ffn1")(hidden))
        return source + message


class Projection(nn.Module):
    """A linear map of the channels with float32 output.

    Attributes:
      features: output channels.
      use_bias: add a bias.
      dtype: type of the product.
      kernel_init: initialiser of the kernel.

    Parameters: kernel `[in, features]`, bias `[features]`.
    """

    features: int
    use_bias: bool = True
    dtype: Any = jnp.float32
    kernel_init: Any = nn.initializers.xavier_uniform()

    @nn.compact
    def __call__(self, x: Array) -> Array:
        kernel = self.param("kernel", self.kernel_init, (x.shape[-1], self.features))
        out = x.astype(self.dtype) @ kernel.astype(self.dtype)
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            out += bias.astype(self.dtype)
        return out.astype(jnp.float32)


def attend(query: Array, key: Array, value: Array, mask: Array | float = 0.0) -> Array:
    """softmax(query key^T / sqrt(C) + mask) value, float32 throughout.

    Args:
      query: `[*B, N, C]`.
      key: `[*B, M, C]`.
      value: `[*B, M, D]`.
      mask: broadcast to `[*B, N, M]`.

    Returns:
      `[*B, N, D]`.
    """
    exact = lax.Precision.HIGHEST
    scores = jnp.einsum("...nc,...mc->...nm", query, key, precision=exact)
    weights = jax.nn.softmax(scores / math.sqrt(query.shape[-1]) + mask, axis=-1)
    return jnp.einsum("...nm,...md->...nd", weights, value, precision=exact)


def attend_to_all(query: Image, key: Image, value: Image) -> Image:
    """`attend` over all positions of maps `[B, H, W, C]`, a block of queries at a time.

    Only the scores of one block of queries are in memory at once, in the gradient too.
    """
    key, value = (x.reshape(len(x), -1, x.shape[-1]) for x in (key, value))

    @jax.checkpoint
    def of_one(position):
        return attend(position[:, None], key, value)[:, 0]

    queries = query.reshape(len(query), -1, query.shape[-1]).swapaxes(0, 1)
    out = lax.map(of_one, queries, batch_size=QUERIES)
    return out.swapaxes(0, 1).reshape(*query.shape[:-1], value.shape[-1])


def attend_in_windows(
    query: Image, key: Image, value: Image, *, windows: int, shifted: bool
) -> Image:
    """`attend` inside each of windows x windows equal windows of maps `[B, H, W, C]`.

    Source: Liu et al. 2021 (Swin, arXiv:2103.14030), sec. 3.2.
    """
    height, width = (side // windows for side in query.shape[1:3])
    down, right = (height // 2, width // 2) if shifted else (0, 0)

    def moved(x):
        return _split(jnp.roll(x, (-down, -right), axis=(1, 2)), windows)

    mask: Array | float = 0.0
    if shifted:
        rows, columns = _regions(query.shape[1], height), _regions(query.shape[2], width)
        regions = _split(jnp.asarray(3 * rows[:, None] + columns)[None, ..., None], windows)[..., 0]
        mask = jnp.where(regions[..., :, None] == regions[..., None, :], 0.0, APART)
    out = _join(attend(moved(query), moved(key), moved(value), mask), (height, width))
    return jnp.roll(out, (down, right), axis=(1, 2))


def sine_position(size: tuple[int, int], channels: int) -> np.ndarray:
    """Sine position encoding of y, then of x, `[height, width, channels]` float32.

    With n from 1 to the length L of an axis the angle is 2 pi n / L; channel c of each half is the
    sine (c even) or cosine (c odd) of the angle over 10000^(2 floor(c / 2) / (channels / 2)).

    Source: Carion et al. 2020 (DETR, arXiv:2005.12872), its normalised embedding.
    """
    half = channels // 2
    wavelength = WAVELENGTH ** (2 * (np.arange(half) // 2) / half)

    def axis(length):
        angle = 2 * np.pi * np.arange(1, length + 1) / (length + EDGE)
        angle = angle[:, None] / wavelength
        return np.where(np.arange(half) % 2, np.cos(angle), np.sin(angle)).astype(np.float32)

    height, width = size
    y = np.broadcast_to(axis(height)[:, None], (height, width, half))
    x = np.broadcast_to(axis(width)[None], (height, width, half))
    return np.concatenate([y, x], axis=-1)


def _regions(length, window):
    """Region 0, 1 or 2 of each position of an axis after the roll; regions were contiguous."""
    place = np.arange(length)
    return (place >= length - window).astype(np.int32) + (place >= length - window // 2)


def _split(x, windows):
    """`[B, H, W, C]` as `[B, windows, windows, tokens, C]`."""
    batch, height, width, channels = x.shape
    shape = (batch, windows, height // windows, windows, width // windows, channels)
    return x.reshape(shape).swapaxes(2, 3).reshape(batch, windows, windows, -1, channels)


def _join(x, window):
    """The inverse of `_split` for windows of this size."""
    batch, rows, columns, _, channels = x.shape
    x = x.reshape(batch, rows, columns, *window, channels).swapaxes(2, 3)
    return x.reshape(batch, rows * window[0], columns * window[1], channels)
