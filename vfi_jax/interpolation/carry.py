"""Extra channels that the model does not receive: they are warped by its flow."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import ops
from vfi_jax.contract import Contract
from vfi_jax.interpolation import levels


def answer(model: Any, variables: Any, frames: jax.Array, times: jax.Array) -> jax.Array:
    """A model's frames, with every channel after the third warped and blended with its flow.

    Args:
      model: a system; with extra channels its contract must have flows.
      variables: its variables.
      frames: `[B, N, H, W, 3 + K]` float32.
      times: `[B, T]`.

    Returns:
      `[B, T, sH, sW, 3 + K]` float32, not clipped.
    """
    prediction = model.apply(variables, frames[..., :3], times)
    made = prediction["frames"].astype(jnp.float32)
    if frames.shape[-1] == 3:
        return made
    flows, weight = prediction["flows"][-1], jax.nn.sigmoid(prediction["logits"][-1])
    shape = (*made.shape[:-1], frames.shape[-1] - 3)
    first, second = (jnp.broadcast_to(frames[:, i : i + 1, ..., 3:], shape) for i in (0, 1))
    carried = ops.voxel_warp(first, second, flows[:, :, 0], flows[:, :, 1], weight)
    return jnp.concatenate([made, carried], axis=-1)


def join(contract: Contract, frames: Any, extra: Any) -> Any:
    """Join frames and extra channels in one array, the inverse of `split`.

    Args:
      contract: the model's contract.
      frames: `[*B, N, H, W, 3]`, NumPy or JAX.
      extra: `[*B, N, H, W, K]` floats.

    Returns:
      `[*B, N, H, W, 3 + K]` float32, frames with white at 1.

    Raises:
      ValueError: a shape or type does not fit, or the contract has no flows.
    """
    if not contract.flows:
        raise ValueError(
            "extra needs a model whose contract has flows, such as shared_pyramid or rife/m"
        )
    if frames.shape[-1] != 3:
        raise ValueError(
            f"frames must have 3 channels for motion estimation if there is extra, got "
            f"{frames.shape[-1]}; repeat a single one"
        )
    if extra.ndim != frames.ndim or extra.shape[:-1] != frames.shape[:-1] or not extra.shape[-1]:
        wanted = f"({', '.join(map(str, frames.shape[:-1]))}, K)"
        raise ValueError(f"extra must be {wanted} to fit frames, got {extra.shape}")
    if not jnp.issubdtype(extra.dtype, jnp.floating):
        raise ValueError(f"extra must be floating-point, got {extra.dtype}")
    numpy: Any = jnp if isinstance(frames, jax.Array) else np
    return numpy.concatenate([levels.unit(frames), extra.astype(np.float32)], axis=-1)


def split(joined: Any, frames: Any, extra: Any) -> tuple[Any, Any]:
    """Split predictions for `join`ed inputs into frames and extra channels, in their types."""
    return levels.typed(joined[..., :3], frames.dtype), joined[..., 3:].astype(extra.dtype)
