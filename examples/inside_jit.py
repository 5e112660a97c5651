"""Interpolate inside a jitted JAX program; frames stay on the devices.

python examples/inside_jit.py
"""

import argparse

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

import vfi_jax


def main() -> None:
    """Double the frame rate of generated clips, one clip per device."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="tween")
    parser.add_argument("--size", type=int, nargs=2, default=(128, 192))
    args = parser.parse_args()
    model, variables = vfi_jax.load(args.model)
    mesh = jax.make_mesh((jax.device_count(),), ("data",))
    per_device = NamedSharding(mesh, PartitionSpec("data"))

    @jax.jit
    def generate(variables, keys):
        frames = jax.vmap(lambda key: clip(key, *args.size))(keys)  # stands for a video model
        smooth = vfi_jax.interpolate(model, variables, frames, multi=2)
        return (smooth.clip(0, 1) * 255).round().astype(jnp.uint8)

    keys = jax.device_put(jax.random.split(jax.random.key(0), jax.device_count()), per_device)
    frames = generate(jax.device_put(variables, NamedSharding(mesh, PartitionSpec())), keys)
    print(frames.shape, frames.dtype, frames.sharding.spec)


def clip(key: jax.Array, height: int, width: int) -> jax.Array:
    """Three frames of a wave that moves to the right, `[3, height, width, 3]`."""
    phase = jax.random.uniform(key, (3,), maxval=6.0)
    x = jnp.arange(width) - 4 * jnp.arange(3)[:, None]
    wave = 0.5 + 0.5 * jnp.sin(0.2 * x[:, None, :, None] + phase)
    return jnp.broadcast_to(wave, (3, height, width, 3))


if __name__ == "__main__":
    main()
