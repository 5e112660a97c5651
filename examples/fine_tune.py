"""Fine-tune a model with JAX and Optax, and save the result for `vfi_jax.load`.

python examples/fine_tune.py --steps 200
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import optax

import vfi_jax
from vfi_jax import losses
from vfi_jax.data.scene import Scene

HALF = np.full((1, 1), 0.5, np.float32)


def main() -> None:
    """Train on rendered triplets and report the loss."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="sepconv/small")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--size", type=int, default=64, help="height and width of the clips")
    parser.add_argument("--out", default="tuned", help="folder of the checkpoint")
    args = parser.parse_args()
    model, variables = vfi_jax.load(args.model)
    optimizer = optax.adam(1e-4)

    @jax.jit
    def step(params, state, clips):
        def loss(params):
            frames = model.apply({**variables, "params": params}, clips[:, ::2], HALF)["frames"]
            return losses.charbonnier(frames, clips[:, 1:2]).mean()

        value, gradient = jax.value_and_grad(loss)(params)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(params, updates), state, value

    params = variables["params"]
    state = optimizer.init(params)
    for index in range(args.steps):
        params, state, value = step(params, state, triplet(index, args.size))
        if index % 10 == 0 or index == args.steps - 1:
            print(f"step {index}: loss {float(value):.5f}")
    vfi_jax.weights.save(args.out, args.model, {**variables, "params": params})
    print(f"vfi_jax.load('./{args.out}') returns the tuned model")


def triplet(seed: int, size: int) -> jax.Array:
    """Three frames of a scene, `[1, 3, size, size, 3]`; the middle one is the target."""
    scene = Scene(seed, size, size, motion=6)
    return jnp.asarray([[scene.frame(time) for time in (0, 0.5, 1)]])


if __name__ == "__main__":
    main()
