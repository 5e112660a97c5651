"""Teacher flow from the target frame to both inputs."""

from typing import Any

import jax.numpy as jnp

from vfi_jax import registry
from vfi_jax.arrays import Array, Frames
from vfi_jax.training.recipes._small import TEACHER


def teacher_flows(frames: Frames, targets: Frames, variables: dict) -> Array:
    """Flows `[B, T, 2, H, W, 2]` from the target frames to both inputs.

    Args:
      frames: `[B, 2, H, W, 3]`.
      targets: the true frames, `[B, T, H, W, 3]`.
      variables: variables of the teacher.
    """
    teacher = registry.create(TEACHER, precision="default")
    others = jnp.broadcast_to(frames[:, None], (*targets.shape[:2], *frames.shape[1:]))
    pairs = jnp.stack(jnp.broadcast_arrays(targets[:, :, None], others), axis=3)
    pairs = pairs.reshape(-1, *frames.shape[1:])
    # At time 0 the new frame is the first of the pair.
    prediction: Any = teacher.apply(variables, pairs, jnp.zeros((len(pairs), 1)))
    return prediction["flows"][-1][:, 0, 1].reshape(*others.shape[:-1], 2)
