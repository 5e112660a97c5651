"""Training state."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from vfi_jax.arrays import Array


class State(flax.struct.PyTreeNode):
    """Everything that changes during training.

    Attributes:
      step: int32 `[]`, number of steps taken.
      params: trainable parameters.
      batch_stats: running statistics; empty for models without BatchNorm.
      opt_state: state of the optimiser.
      ema: moving average of `params`; empty if disabled.
    """

    step: Array
    params: Any
    batch_stats: Any
    opt_state: Any
    ema: Any

    @classmethod
    def start(cls, variables: dict, optimizer: optax.GradientTransformation, *, ema: bool):
        """The state before the first step."""
        params = variables["params"]
        return cls(
            step=jnp.zeros((), jnp.int32),
            params=params,
            batch_stats=variables.get("batch_stats", {}),
            opt_state=optimizer.init(params),
            ema=jax.tree.map(jnp.copy, params) if ema else {},
        )

    @property
    def variables(self) -> dict:
        """The variables for evaluation and export: the moving average if enabled."""
        variables = {"params": self.ema or self.params}
        return {**variables, "batch_stats": self.batch_stats} if self.batch_stats else variables
