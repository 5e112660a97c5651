"""How exactly a model's convolutions multiply."""

import contextlib

import jax


def precision(name: str) -> contextlib.AbstractContextManager:
    """Precision of every convolution and dot traced inside that names none.

    Args:
      name: "highest" is full float32 everywhere; "default" is the platform's fastest for float32
        (TF32 on a GPU, bfloat16 products on a TPU); any name of `jax.default_matmul_precision`.
    """
    return jax.default_matmul_precision(None if name == "default" else name)
