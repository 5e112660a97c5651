"""Where weights lie: the user's folder, then the package's own."""

import os
from pathlib import Path

import platformdirs

from vfi_jax import registry

HOME = "VFI_JAX_HOME"  # environment variable: instead of the user's data folder
PRETRAINED = Path(__file__).with_name("pretrained")
MAIN = "main"  # the folder of a system's weights that have no variant's name


def home() -> Path:
    """The folder of all that vfi_jax stores for this user."""
    return Path(os.environ.get(HOME) or platformdirs.user_data_dir("vfi_jax", appauthor=False))


def user_folder(name: str) -> Path:
    """Where the user's weights of `name` are stored: <home>/weights/<system>/<variant>."""
    return home() / "weights" / _relative(name)


def packaged_folder(name: str) -> Path:
    """Where the package's own weights of `name` are."""
    return PRETRAINED / _relative(name)


def candidates(name: str) -> tuple[Path, ...]:
    """The folders that may hold the weights of `name`, first choice first."""
    current = registry.split(name)
    old = [was for was, now in registry.RENAMED.items() if registry.split(now) == current]
    before = [home() / "weights" / was for was in old]
    return user_folder(name), *before, packaged_folder(name)


def _relative(name):
    system, variant = registry.split(name)
    return Path(system) / (variant or MAIN)
