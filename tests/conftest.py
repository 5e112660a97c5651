"""What every test runs under: 8 CPU devices and a compilation cache that outlives the run.

Tests mostly compile. Not optimised, and with the emitters that XLA for CPUs had before its present
ones, they take less than half the time. XLA_FLAGS has the last word: with
`--xla_backend_optimization_level=3 --xla_cpu_use_fusion_emitters=true` they run the code that users
run.
"""

import os
from pathlib import Path

os.environ["XLA_FLAGS"] = (
    "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0 "
    "--xla_cpu_use_fusion_emitters=false " + os.environ.get("XLA_FLAGS", "")
)
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import pytest

from vfi_jax.weights import places

jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / ".pytest_cache/jax"))
# Without these two, JAX caches only what took a second to compile and is large.
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


@pytest.fixture
def nothing_ships(tmp_path, monkeypatch):
    """The package brings no weights, so that what a test stores is all that there is."""
    monkeypatch.setattr(places, "PRETRAINED", tmp_path / "pretrained")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """No test reads or writes the user's own weights."""
    monkeypatch.setenv("VFI_JAX_HOME", str(tmp_path / "home"))
