"""Precision of a model's convolutions."""

import contextlib

import jax


def precision(name: str) -> contextlib.AbstractContextManager:
    """Sets the precision of every convolution and dot traced inside that does not set its own.

    Args:
      name: any name of `jax.default_matmul_precision`. "highest": full float32 on every platform.
        "default": the platform's fastest for float32 (TF32 on a GPU, bfloat16 products on a TPU).
    """
    return jax.default_matmul_precision(None if name == "default" else name)
