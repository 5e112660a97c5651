"""The wheel alone trains, from a folder outside of the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile

import pytest

from tests.support import ROOT
from tests.training.test_loop import SECONDS, environment

PROGRAM = """
import sys, vfi_jax
from importlib.util import find_spec
from vfi_jax.cli.__main__ import main

assert vfi_jax.__file__.startswith(sys.prefix), vfi_jax.__file__
assert find_spec("train") is None
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def python(tmp_path):
    """Of a virtual environment with the wheel, and with this one's packages for its dependencies:
    a line of a .pth file is only a place, so that an editable installation there is not seen."""
    built = tmp_path / "dist"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    folder = tmp_path / "environment"
    venv.create(folder)
    scheme = {"base": str(folder), "platbase": str(folder)}
    packages = sysconfig.get_path("purelib", "venv", vars=scheme)
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(packages)
    with open(os.path.join(packages, "dependencies.pth"), "w") as file:
        file.write(sysconfig.get_path("purelib") + "\n")
    return folder / "bin/python"


@pytest.mark.slow
def test_two_steps_of_a_published_recipe(python, tmp_path):
    words = ["train", "rife", "--data", "synthetic", "--scenes", "2", "--crop", "64", "64"]
    words += ["--batch", "2", "--steps", "2", "--eval-every", "0", "--workdir", "run"]
    one_device = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=1"
    outside = environment(XLA_FLAGS=one_device)
    outside.pop("PYTHONPATH", None)
    done = subprocess.run(
        [python, "-c", PROGRAM, *words],
        cwd=tmp_path,
        env=outside,
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run/run.json").read_text())["recipe"]["optimizer"]["rule"]
    assert (tmp_path / "run/weights").is_dir()
