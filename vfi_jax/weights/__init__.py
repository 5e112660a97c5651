"""Weights: loading and storing them, and converting those that were made with PyTorch.

`load` is all that running a model needs. `convert` and `read_torch` turn original files into
variables; `save` stores them where `load` finds them.
"""

from vfi_jax.weights.conversion import ConversionError, convert, convertible, recognise
from vfi_jax.weights.download import fetch
from vfi_jax.weights.library import DEFAULT, at_hand, load, needs_weights, save, stored, verify
from vfi_jax.weights.sources import Source, advice, source
from vfi_jax.weights.torch_file import read_torch

__all__ = [
    "DEFAULT",
    "ConversionError",
    "Source",
    "advice",
    "at_hand",
    "convert",
    "convertible",
    "fetch",
    "load",
    "needs_weights",
    "read_torch",
    "recognise",
    "save",
    "source",
    "stored",
    "verify",
]
