"""Video frame interpolation in JAX.

Public names are loaded lazily, so that `import vfi_jax` is instant and does not import jax.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Contract": "vfi_jax.contract",
    "Interpolator": "vfi_jax.interpolation",
    "create": "vfi_jax.registry",
    "depth": "vfi_jax.estimation",
    "flow": "vfi_jax.estimation",
    "interpolate": "vfi_jax.interpolation",
    "interpolate_video": "vfi_jax.video",
    "list_models": "vfi_jax.registry",
    "load": "vfi_jax.weights",
}
_MODULES = ("losses", "metrics", "ops", "weights")

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"vfi_jax.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'vfi_jax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
