"""Weights: loading, storing, and conversion from PyTorch.

To run a model, use `load`. To install original weights, use `install`: it reads the file
(`read_torch`), converts it to variables (`convert`) and stores them where `load` finds them
(`save`).
"""

from vfi_jax.weights.conversion import convert, convertible, recognise
from vfi_jax.weights.download import fetch
from vfi_jax.weights.engine import ConversionError
from vfi_jax.weights.install import install, obtain
from vfi_jax.weights.library import DEFAULT, at_hand, load, locate, save, stored, verify
from vfi_jax.weights.sources import Source, advice, records, source
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
    "install",
    "load",
    "locate",
    "obtain",
    "read_torch",
    "recognise",
    "records",
    "save",
    "source",
    "stored",
    "verify",
]
