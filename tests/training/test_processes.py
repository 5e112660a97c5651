"""Two processes of `jax.distributed` give the same result as one."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from tests.support import ROOT
from tests.training import example_package
from tests.training.test_loop import SECONDS, command, environment, options
from vfi_jax import weights
from vfi_jax.training import loop, run
from vfi_jax.training.optimizer import Optimizer
from vfi_jax.weights import orbax_folder

NEVER = 99  # a step that no run takes
# The smallest system without BatchNorm, whose statistics amplify rounding of sums over devices.
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


def _start(commands, **variables):
    """The processes of a run, between which the tests' 8 devices are divided."""
    commands = list(commands)
    divided = f"--xla_force_host_platform_device_count={8 // len(commands)}"
    devices = environment(XLA_FLAGS=f"{os.environ['XLA_FLAGS']} {divided}", **variables)
    return [subprocess.Popen(one, cwd=ROOT, env=devices) for one in commands]


def _codes(processes):
    """Their exit codes; their output is shown if a test fails."""
    try:
        return [process.wait(SECONDS) for process in processes]
    finally:
        for process in processes:
            process.kill()


@pytest.mark.slow
def test_two_processes_give_the_parameters_of_one(tmp_path, monkeypatch):
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
    both = _start([*words, str(i)] for i in range(2))
    resolve = run.resolve
    sgd = Optimizer("sgd", 1e-3)
    monkeypatch.setattr(
        run, "resolve", lambda *given: dataclasses.replace(resolve(*given), optimizer=sgd)
    )
    assert loop.train(options(tmp_path / "one", system=SYSTEM, ema=0.0))
    assert _codes(both) == [0, 0]
    one, two = (weights.load(str(tmp_path / name / "weights"))[1] for name in ("one", "two"))
    # Sums over devices have another order.
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * np.abs(a).max())


@pytest.mark.slow
def test_two_processes_resume_in_an_object_store_after_one_is_killed(tmp_path):
    """The other, which waits for it, is ended; both started again, they continue bit for bit."""
    paths = os.pathsep.join([str(example_package.install(tmp_path / "installed")), str(ROOT)])
    module = [sys.executable, "-m", "tests.training.stand_in_store", str(tmp_path)]
    flags = ["--crop", "32", "32", "--batch", "8", "--steps", "4", "--save-every", "2"]
    flags += ["--log-every", "1", "--eval-every", "0", "--processes", "2"]

    def both(name, fatal, *more):
        train = ["train", example_package.SYSTEM, "--workdir", f"gs://bucket/{name}", *flags, *more]
        address = f"localhost:{_free_port()}"
        return _start(
            (
                [*module, str(step), *train, "--coordinator", address, "--process", str(i)]
                for i, step in enumerate(fatal)
            ),
            PYTHONPATH=paths,
        )

    assert _codes(both("whole", (NEVER, NEVER))) == [0, 0]
    killed = both("cut", (NEVER, 3))
    assert killed[1].wait(SECONDS) == -signal.SIGKILL
    killed[0].kill()
    killed[0].wait()
    bucket = tmp_path / "bucket"
    assert not (bucket / "cut/weights").exists()
    assert _codes(both("cut", (NEVER, NEVER), "--resume")) == [0, 0]
    whole, cut = (orbax_folder.variables(bucket / name / "weights") for name in ("whole", "cut"))
    assert whole["params"]["logit"] != 0
    assert cut == whole
    for folder in (bucket / "whole", bucket / "cut"):
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]
        assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["2", "4"]
    assert not (ROOT / "gs:").exists()
