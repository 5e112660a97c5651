"""Systems with exactly known results, one for each kind of contract."""

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from vfi_jax.contract import Contract


class Toy(nn.Module):
    """A model without variables: `answer(frames, times)` under a contract."""

    contract: Contract
    answer: Callable

    @nn.compact
    def __call__(self, frames, times, *, targets=None, train=False):
        contract = self.contract
        assert contract.min_frames <= frames.shape[1] <= contract.frames
        assert frames.shape[2] % contract.multiple == frames.shape[3] % contract.multiple == 0
        return {"frames": self.answer(frames, times)}


@dataclasses.dataclass(frozen=True)
class Case:
    """A toy system, times to request, and the expected frames.

    Attributes:
      expected: `expected(frames, time)` from float64 frames `[N, H, W, C]`.
    """

    toy: Toy
    times: tuple[float, ...]
    expected: Callable


def between(frames, times):
    """The frames' linear interpolation at `times`, `[B, T, H, W, 3]`."""
    index = jnp.arange(frames.shape[1])
    weights = jnp.maximum(0, 1 - jnp.abs(times[..., None] - index))
    return jnp.einsum("btn,bnhwc->bthwc", weights, frames, precision="highest")


def enlarged(frames, times):
    """The same at twice the size, every pixel four times."""
    return between(frames, times).repeat(2, axis=-3).repeat(2, axis=-2)


def mean(frames, times):
    """The mean of all frames, at every time."""
    return jnp.repeat(frames.mean(1, keepdims=True), times.shape[1], axis=1)


def predicted(frames, times):
    """The frame after the second, by linear extrapolation."""
    return 2 * frames[:, 1:2] - frames[:, 0:1]


def linear(frames, time):
    first = min(int(time), len(frames) - 2)
    return frames[first] + (time - first) * (frames[first + 1] - frames[first])


def around(frames, time):
    index = np.clip(np.arange(-3, 4) + int(time), 0, len(frames) - 1)
    return frames[index].mean(0)


def onwards(frames, time):
    return frames[int(time)] if time < 2 else 2 * frames[int(time) - 1] - frames[int(time) - 2]


halves = tuple(n / 2 for n in range(7))
ANY = Toy(Contract(frames=2, times=None, multiple=4), between)
MIDDLE = Toy(Contract(frames=2, times=(0.5,), multiple=8), mean)
CASES = {
    "any-time": Case(ANY, (0, 0.2, 1 / 3, 1, 1.75, 4.5, 5), linear),
    "midpoint-only": Case(MIDDLE, (0, 0.25, 0.375, 0.5, 3, 3.0625, 4.5, 5), linear),
    "four-to-seven-at-x2": Case(
        Toy(Contract(4, halves, min_frames=2, scale=2, multiple=4), enlarged),
        (0, 0.5, 1, 1.5, 2.5, 3, 3.5, 4, 4.5, 5),
        lambda frames, time: linear(frames, time).repeat(2, axis=-3).repeat(2, axis=-2),
    ),
    "seven-to-centre": Case(Toy(Contract(7, (3.0,)), mean), (0, 1, 2, 3, 4, 5), around),
    "two-to-next": Case(Toy(Contract(2, (2.0,)), predicted), (0, 1, 2, 3, 5, 6), onwards),
    "four-any-time": Case(
        Toy(Contract(4, None, min_frames=2), between), (0, 0.5, 2.25, 4.75, 5), linear
    ),
    "four-to-middle": Case(
        Toy(Contract(4, (1.5,), min_frames=4), lambda frames, times: mean(frames[:, 1:3], times)),
        (0.125, 0.5, 0.75, 2, 2.25, 4.5, 4.875),
        linear,
    ),
}
