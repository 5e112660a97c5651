"""Optimisers and learning-rate schedules, as records that the command line can override."""

import dataclasses
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import optax
import optax.contrib

Schedule = Callable[[float, int], optax.Schedule]


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """An update rule with its schedule.

    Attributes:
      rule: "adam", "adamw", "adamax", "muon" or "sgd".
      learning_rate: peak learning rate.
      schedule: (learning_rate, steps) -> optax schedule; constant by default.
      b1, b2, eps: of the Adam family.
      weight_decay: decoupled for "adamw"; otherwise added to the gradient, as in PyTorch's Adam.
      scale: learning rate factors for parts of the model, by path prefix.
      clip: maximum global norm of the gradient; 0: no clipping.
    """

    rule: str
    learning_rate: float
    schedule: Schedule | None = None
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    scale: Mapping[str, float] = dataclasses.field(default_factory=dict)
    clip: float = 0.0

    def __post_init__(self):
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {sorted(RULES)}, got {self.rule!r}")

    def build(self, steps: int) -> optax.GradientTransformation:
        """The optax transformation for a run of `steps` steps."""
        rate = (self.schedule or constant)(self.learning_rate, steps)
        parts = []
        if self.clip:
            parts.append(optax.clip_by_global_norm(self.clip))
        if self.weight_decay and self.rule != "adamw":
            parts.append(optax.add_decayed_weights(self.weight_decay))
        parts.append(RULES[self.rule](self))
        if self.weight_decay and self.rule == "adamw":
            parts.append(optax.add_decayed_weights(self.weight_decay))
        if self.scale:
            parts.append(_scale_parts(self.scale))
        return optax.chain(*parts, optax.scale_by_learning_rate(rate))


def _muon(options):
    """Muon for convolution kernels; Adam with a tenth of the learning rate for everything else.

    Source: Jordan et al. 2024, Muon.
    """

    def rows_and_columns(stacks):
        # In NHWIO, the axes HWI form the rows of the N matrices.
        shape = optax.contrib.MuonDimensionNumbers((1, 2, 3), (4,))
        return jax.tree.map(lambda leaf: shape if leaf.ndim == 5 else None, stacks)

    muon = optax.contrib.muon(
        1.0,
        adam_learning_rate=0.1,
        adam_b1=options.b1,
        adam_b2=options.b2,
        eps=options.eps,
        muon_weight_dimension_numbers=rows_and_columns,
    )
    # It already negates the updates, which `build` does too.
    return optax.chain(_stacked(muon), optax.scale(-1.0))


RULES = {
    "adam": lambda options: optax.scale_by_adam(options.b1, options.b2, options.eps),
    "adamw": lambda options: optax.scale_by_adam(options.b1, options.b2, options.eps),
    "adamax": lambda options: optax.scale_by_adamax(options.b1, options.b2, options.eps),
    "muon": _muon,
    "sgd": lambda options: optax.identity(),
}


def constant(learning_rate: float, steps: int) -> optax.Schedule:
    """The same learning rate throughout."""
    return optax.constant_schedule(learning_rate)


def cosine(*, warmup: int = 0, end: float = 0.0) -> Schedule:
    """Linear warm-up from 0 over `warmup` steps, then half a cosine to `end` at the last step."""

    def schedule(learning_rate, steps):
        warm = min(warmup, max(steps - 1, 0))
        return optax.warmup_cosine_decay_schedule(
            0.0 if warm else learning_rate, learning_rate, warm, steps, end
        )

    return schedule


def cosine_restarts(periods: int, *, end: float = 0.0) -> Schedule:
    """Half cosines from the peak rate to `end`, in `periods` of equal length.

    Each period is shifted by one step, as in code that steps its schedule before the optimiser;
    only the last step of the run is at `end`.
    """

    def schedule(learning_rate, steps):
        period = max(steps // periods, 1)

        def rate(count):
            step = count + 1
            part = jnp.where(step < periods * period, step % period / period, 1.0)
            return end + (learning_rate - end) * (1 + jnp.cos(jnp.pi * part)) / 2

        return rate

    return schedule


def steps_down(factor: float, *fractions: float) -> Schedule:
    """Multiplies the learning rate by `factor` at each of the given fractions of the run."""

    def schedule(learning_rate, steps):
        places = {round(fraction * steps): factor for fraction in fractions}
        return optax.piecewise_constant_schedule(learning_rate, places)

    return schedule


def _stacked(rule):
    """A rule for single leaves, applied to all leaves of equal shape stacked on a new first axis.

    A network has hundreds of kernels but only tens of shapes. The compile time of Muon's products,
    longer than that of a small network's gradient, grows with their number.
    """

    def update(updates, state, params=None):
        stacks, state = rule.update(_stack(updates), state, params and _stack(params))
        parts = {shape: iter(stack) for shape, stack in stacks.items()}
        return jax.tree.map(lambda leaf: next(parts[_shape(leaf)]), updates), state

    return optax.GradientTransformation(lambda params: rule.init(_stack(params)), update)


def _stack(tree):
    leaves = {}
    for leaf in jax.tree.leaves(tree):
        leaves.setdefault(_shape(leaf), []).append(leaf)
    return {shape: jnp.stack(same) for shape, same in leaves.items()}


def _shape(leaf):
    # A string, because checkpoints use it as a name.
    return "x".join(map(str, leaf.shape)) or "scalar"


def _scale_parts(scale):
    """Multiplies the updates of parameters by the factor of the longest matching path prefix."""

    def factor(path):
        name = "/".join(key.key for key in path)
        hits = [prefix for prefix in scale if f"{name}/".startswith(f"{prefix}/")]
        return scale[max(hits, key=len)] if hits else 1.0

    def update(updates, params=None):
        return jax.tree_util.tree_map_with_path(lambda path, g: factor(path) * g, updates)

    return optax.stateless(update)
