"""The environment of every test: 8 CPU devices and a compilation cache that outlives the run.

Tests spend most of their time compiling. Without optimisation, and with XLA's older CPU emitters
where it still has them (before jax 0.11), they take less than half the time. XLA_FLAGS overrides
both: with `--xla_backend_optimization_level=3`, and `--xla_cpu_use_fusion_emitters=true` before jax
0.11, they run the code that users run.
"""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from vfi_jax.weights import places

FAST = "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
OLD_EMITTERS = "--xla_cpu_use_fusion_emitters=false"


def _xla_knows(flag):
    """Whether XLA accepts a flag; it terminates the process on unknown flags."""
    command = [sys.executable, "-c", "import jax; jax.devices()"]
    environment = {**os.environ, "XLA_FLAGS": flag, "JAX_PLATFORMS": "cpu"}
    return subprocess.run(command, env=environment, capture_output=True).returncode == 0


if "PYTEST_XDIST_WORKER" not in os.environ:  # workers inherit the environment
    emitters = OLD_EMITTERS if _xla_knows(OLD_EMITTERS) else ""
    os.environ["XLA_FLAGS"] = f"{FAST} {emitters} {os.environ.get('XLA_FLAGS', '')}"
jax.config.update("jax_platforms", os.environ.setdefault("JAX_PLATFORMS", "cpu"))
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / ".pytest_cache/jax"))
# Without these two, JAX caches only large programs that took a second to compile.
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


@pytest.fixture
def nothing_ships(tmp_path, monkeypatch):
    """Hide the package's weights, so that only weights stored by the test exist."""
    monkeypatch.setattr(places, "PRETRAINED", tmp_path / "pretrained")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """Tests neither read nor write the user's weights."""
    monkeypatch.setenv("VFI_JAX_HOME", str(tmp_path / "home"))
