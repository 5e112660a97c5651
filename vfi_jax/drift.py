"""Drift of a flow field: its contraction or expansion about the frame's centre."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Flow


def drift(flow: Flow) -> tuple[Array, Array]:
    """Contraction (negative) or expansion of a flow field about the frame's centre.

    The least-squares slopes of u over x and of v over y; about 0 for two equal frames.

    Args:
      flow: `[*B, H, W, 2]` pixels, (x, y).

    Returns:
      (slope of u, slope of v), pixels per pixel, each `[*B]`.
    """
    height, width = flow.shape[-3:-1]
    x = jnp.arange(width) - (width - 1) / 2
    y = jnp.arange(height) - (height - 1) / 2
    return (
        (flow[..., 0].mean(axis=-2) * x).sum(axis=-1) / jnp.square(x).sum(),
        (flow[..., 1].mean(axis=-1) * y).sum(axis=-1) / jnp.square(y).sum(),
    )
