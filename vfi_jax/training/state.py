"""What training carries from step to step."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from vfi_jax.arrays import Array


class State(flax.struct.PyTreeNode):
    """Everything that changes in training.

    Attributes:
      step: int32 `[]`, steps taken.
      params: trained.
      batch_stats: running statistics; empty for models without BatchNorm.
      opt_state: of the optimiser.
      ema: moving average of `params`; empty where none is kept.
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
        """What to evaluate and to ship: the average where one is kept."""
        variables = {"params": self.ema or self.params}
        return {**variables, "batch_stats": self.batch_stats} if self.batch_stats else variables
