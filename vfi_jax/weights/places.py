"""Locations of weights: the user's folder, then the package."""

import os
from pathlib import Path

import platformdirs

from vfi_jax import registry

HOME = "VFI_JAX_HOME"  # environment variable that replaces the user's data folder
PRETRAINED = Path(__file__).with_name("pretrained")
MAIN = "main"  # folder name of a system's weights without a variant


def home() -> Path:
    """The folder in which vfi_jax stores the user's data."""
    return Path(os.environ.get(HOME) or platformdirs.user_data_dir("vfi_jax", appauthor=False))


def user_folder(name: str) -> Path:
    """Folder of the user's weights of `name`: <home>/weights/<system>/<variant>."""
    return home() / "weights" / _relative(name)


def packaged_folder(name: str) -> Path:
    """Folder of the weights of `name` in the package."""
    return PRETRAINED / _relative(name)


def candidates(name: str) -> tuple[Path, ...]:
    """The folders that may contain the weights of `name`, in order of preference."""
    current = registry.split(name)
    old = [was for was, now in registry.RENAMED.items() if registry.split(now) == current]
    before = [home() / "weights" / was for was in old]
    return user_folder(name), *before, packaged_folder(name)


def _relative(name):
    system, variant = registry.split(name)
    return Path(system) / (variant or MAIN)
