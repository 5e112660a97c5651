"""The training step: one pure function, the same under jit, pmap and shard_map."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import lax

from vfi_jax.training.recipe import Loss
from vfi_jax.training.state import State


def make_step(
    model: nn.Module,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    *,
    ema: float = 0.0,
    accumulate: int = 1,
    summed: bool = False,
    axis_name: str | None = None,
) -> Callable[[State, dict, dict], tuple[State, dict]]:
    """Build step(state, batch, frozen) -> (state, metrics).

    If the loss or gradient is not finite, the step changes only the step count and reports `finite`
    = 0, so the caller keeps valid parameters.

    Args:
      model: a system, called with (frames, times, targets=, train=True).
      loss: loss of a recipe.
      optimizer: optax optimiser.
      ema: final decay of the parameters' moving average, which rises from 1/10; 0: none.
      accumulate: number of gradient accumulation steps per batch.
      summed: the loss is a sum over the batch, not a mean: parts are added instead of averaged.
      axis_name: the mapped batch axis under pmap or shard_map (with check_vma=False, because
        otherwise gradients are already summed); None under jit with global arrays.
    """

    def loss_of(params, batch_stats, batch, frozen):
        variables = {"params": params, **({"batch_stats": batch_stats} if batch_stats else {})}
        prediction, changed = model.apply(
            variables,
            batch["frames"],
            batch["times"],
            targets=batch["targets"],
            train=True,
            mutable=["batch_stats"],
        )
        total, parts = loss(prediction, batch, frozen)
        return total, (parts, changed.get("batch_stats", {}))

    gradient = jax.value_and_grad(loss_of, has_aux=True)

    def accumulated(params, batch_stats, batch, frozen):
        def part(batch_stats, micro):
            (total, (parts, batch_stats)), grads = gradient(params, batch_stats, micro, frozen)
            return batch_stats, (total, parts, grads)

        batch = jax.tree.map(lambda x: x.reshape(accumulate, -1, *x.shape[1:]), batch)
        batch_stats, out = lax.scan(part, batch_stats, batch)
        total, parts, grads = jax.tree.map(lambda x: x.sum(0) if summed else x.mean(0), out)
        return (total, (parts, batch_stats)), grads

    compute = gradient if accumulate == 1 else accumulated

    def step(state: State, batch: dict, frozen: dict) -> tuple[State, dict]:
        (total, (parts, batch_stats)), grads = compute(
            state.params, state.batch_stats, batch, frozen
        )
        if axis_name is not None:
            combine = lax.psum if summed else lax.pmean
            total, parts, grads = combine((total, parts, grads), axis_name)
            batch_stats = lax.pmean(batch_stats, axis_name)
        norm = optax.tree.norm(grads)
        finite = jnp.isfinite(total) & jnp.isfinite(norm)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        moved = state.replace(
            params=params,
            batch_stats=batch_stats,
            opt_state=opt_state,
            ema=_average(state, params, ema) if ema else {},
        )
        state = jax.tree.map(lambda new, old: jnp.where(finite, new, old), moved, state)
        metrics = {"loss": total, **parts, "gradient_norm": norm, "finite": finite.astype(float)}
        return state.replace(step=state.step + 1), metrics

    return step


def _average(state, params, decay):
    # A small initial decay keeps short runs from being dominated by the initial parameters.
    decay = jnp.minimum(decay, (1 + state.step) / (10 + state.step))
    return jax.tree.map(lambda old, new: decay * old + (1 - decay) * new, state.ema, params)
