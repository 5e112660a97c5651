"""Every op under the modes of JAX that a program may have set: a table, made by tracing alone.

python -m tests.ops.modes
"""

import os

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from tests.ops import examples

FLAT = ("inside", "occlusion_mask")  # 0 or 1: no gradient
DEVICES = 4
SIZE = (6, 8)


def explicit(name):
    """The batch is sharded over a mesh with Explicit axes, and so are results and gradients."""
    mesh = jax.make_mesh((DEVICES,), ("data",))
    kinds = examples.kinds(name)

    def placed(leaf, kind):
        spec = PartitionSpec() if kind == "shared" else PartitionSpec("data")
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=NamedSharding(mesh, spec))

    arrays = {
        key: jax.tree.map(lambda leaf, kind=kinds[key]: placed(leaf, kind), value)
        for key, value in _arrays(name).items()
    }
    out = jax.eval_shape(_with_gradient(name), arrays)
    shared = {key for key, kind in kinds.items() if kind == "shared"}
    gradients = {key: value for key, value in out[1].items() if key not in shared}
    for leaf in jax.tree.leaves((out[0], gradients)):
        assert leaf.sharding.spec[0] == "data", leaf


def rank_promotion(name):
    """Arrays of unlike rank are never broadcast silently."""
    with jax.numpy_rank_promotion("raise"):
        jax.eval_shape(_with_gradient(name), _arrays(name))


def strict_promotion(name):
    """Arrays of unlike types are never mixed silently."""
    with jax.numpy_dtype_promotion("strict"):
        jax.eval_shape(_with_gradient(name), _arrays(name))


def x64(name):
    """With 64-bit types allowed, float32 stays float32."""
    with jax.enable_x64(True):
        out = jax.eval_shape(_with_gradient(name), _arrays(name))
    for leaf in jax.tree.leaves(out):
        assert leaf.dtype == jnp.float32, leaf


def export(name):
    """It lowers for every platform."""
    traced = jax.jit(examples.call(name)).trace(_arrays(name))
    traced.lower(lowering_platforms=("cpu", "cuda", "tpu"))


MODES = {
    "Explicit mesh": explicit,
    "rank_promotion=raise": rank_promotion,
    "dtype_promotion=strict": strict_promotion,
    "x64": x64,
    "lowers for cpu, cuda, tpu": export,
}


def fault(mode, name):
    """What goes wrong with an op in a mode; "" if nothing does."""
    try:
        MODES[mode](name)
    except Exception as error:  # noqa: BLE001  # whatever it is goes into the table
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return ""


def _arrays(name):
    return examples.abstract(name, lead=(DEVICES,), size=SIZE)


def _with_gradient(name):
    call = examples.call(name)

    def both(arrays):
        def total(arrays):
            out = call(arrays)
            return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(out)), out

        if name in FLAT:
            return call(arrays), {}
        gradients, out = jax.grad(total, has_aux=True)(arrays)
        return out, gradients

    return both


def main():
    """Prints the table in Markdown."""
    print(f"| op | {' | '.join(MODES)} |")
    print(f"|---|{'---|' * len(MODES)}")
    for name in sorted(examples.EXAMPLES):
        print(f"| `{name}` | {' | '.join(fault(mode, name) or 'yes' for mode in MODES)} |")


if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={DEVICES}"
    jax.config.update("jax_platforms", "cpu")
    main()
