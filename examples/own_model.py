"""Run your own model in the driver, which adds bisection, padding, tiling and video input.

python examples/own_model.py
"""

import argparse

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

import vfi_jax
from vfi_jax.contract import Contract
from vfi_jax.data.scene import Scene


class Model(nn.Module):
    """A tiny network for the midpoint: the average of both frames, corrected by convolutions."""

    @property
    def contract(self) -> Contract:
        """What it supports: two frames, the midpoint, sides that are multiples of 4."""
        return Contract(frames=2, times=(0.5,), multiple=4)

    @nn.compact
    def __call__(self, frames, times, *, targets=None, train=False):
        """The frame half-way, `[B, 1, H, W, 3]`."""
        both = jnp.concatenate([frames[:, 0], frames[:, 1]], axis=-1)
        x = nn.relu(nn.Conv(16, (5, 5), name="first")(both))
        # Initially the average, because the last layer is initialised to zero.
        correction = nn.Conv(3, (5, 5), kernel_init=nn.initializers.zeros, name="last")(x)
        return {"frames": (frames.mean(axis=1) + correction)[:, None]}


def main() -> None:
    """Request quarters from a model that predicts only the midpoint."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, nargs=2, default=(90, 161), help="any size works")
    args = parser.parse_args()
    model = Model()
    example = jnp.zeros((1, 2, 8, 8, 3)), jnp.full((1, 1), 0.5)
    variables = model.init(jax.random.key(0), *example)
    scene = Scene(1, *args.size, motion=4)
    clip = np.stack([scene.frame(time) for time in (0, 1)])
    frames = vfi_jax.Interpolator(model, variables)(clip, [0.25, 0.5, 0.75])
    for time, frame in zip((0.25, 0.5, 0.75), frames, strict=True):
        error = np.mean((frame - scene.frame(time)) ** 2)
        print(f"time {time}: {-10 * np.log10(error):.2f} dB")


if __name__ == "__main__":
    main()
