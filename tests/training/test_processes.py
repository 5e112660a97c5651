"""Two processes of `jax.distributed` train what one trains."""

import dataclasses
import os
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from tests.support import ROOT
from tests.training.test_loop import SECONDS, command, environment, options
from vfi_jax import weights
from vfi_jax.training import loop, run
from vfi_jax.training.optimizer import Optimizer

# The smallest system without BatchNorm, whose statistics magnify how sums over devices round.
SYSTEM = "mind/small"
# SGD shows a wrong scale of gradients, which Adam would hide.
WITH_SGD = """
import dataclasses, sys
from vfi_jax.cli.__main__ import main
from vfi_jax.training import run
from vfi_jax.training.optimizer import Optimizer

resolve = run.resolve
sgd = Optimizer("sgd", 1e-3)
run.resolve = lambda *given: dataclasses.replace(resolve(*given), optimizer=sgd)
sys.exit(main())
"""


def _free_port():
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


@pytest.mark.slow
def test_two_processes_give_one_process_s_parameters(tmp_path, monkeypatch):
    flags = [
        "--coordinator",
        f"localhost:{_free_port()}",
        "--processes",
        "2",
        "--ema",
        "0",
        "--process",
    ]
    words = [
        sys.executable,
        "-c",
        WITH_SGD,
        "train",
        *command(tmp_path / "two", *flags, system=SYSTEM),
    ]
    halved = os.environ["XLA_FLAGS"] + " --xla_force_host_platform_device_count=4"
    devices = environment(XLA_FLAGS=halved)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    both = [subprocess.Popen([*words, str(i)], cwd=ROOT, env=devices, **pipes) for i in range(2)]
    resolve = run.resolve
    sgd = Optimizer("sgd", 1e-3)
    monkeypatch.setattr(
        run, "resolve", lambda *given: dataclasses.replace(resolve(*given), optimizer=sgd)
    )
    assert loop.train(options(tmp_path / "one", system=SYSTEM, ema=0.0))
    try:
        for process in both:
            output, _ = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, output
    finally:
        for process in both:
            process.kill()
    one, two = (weights.load(str(tmp_path / name / "weights"))[1] for name in ("one", "two"))
    # Sums over devices are taken in another order.
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * np.abs(a).max())
