"""Training: one loop for every system, with the papers' recipes or your own.

Public names are loaded lazily, so that the command line parses its options without jax.
"""

import importlib
from typing import Any

_HOME = {
    "CannotContinue": "vfi_jax.training.loop",
    "Optimizer": "vfi_jax.training.optimizer",
    "Recipe": "vfi_jax.training.recipe",
    "train": "vfi_jax.training.api",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'vfi_jax.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
