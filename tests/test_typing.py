"""Type checking of user programs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vfi_jax

ROOT = Path(__file__).parents[1]
PROGRAM = """
from typing import assert_type

import jax
import numpy as np

import vfi_jax
from vfi_jax import ops

model, variables = vfi_jax.load("shared_pyramid")
frames = np.zeros((3, 8, 8, 3), np.uint8)
image = jax.numpy.zeros((8, 8, 3))
assert_type(vfi_jax.interpolate(model, variables, frames, [0.5]), jax.Array)
assert_type(vfi_jax.interpolate(model, variables, frames, multi=2), jax.Array)
assert_type(vfi_jax.list_models(), list[str])
assert_type(vfi_jax.flow(frames[0], frames[1]), np.ndarray)
for frame in vfi_jax.Interpolator(model, variables, batch=2).stream(frames, [0.5]):
    assert_type(frame, np.ndarray)
assert_type(vfi_jax.Contract(frames=2, times=None).multiple, int)
assert_type(ops.backward_warp(image, image[..., :2], padding="border"), jax.Array)
"""
WRONG = {
    "vfi_jax.load(system=1)": "has incompatible type",
    "vfi_jax.list_models(1)": "Too many arguments",
    'vfi_jax.Interpolator(vfi_jax.create("rife"), {}, batch="two")': "has incompatible type",
    "vfi_jax.interpolator": "has no attribute",
    'vfi_jax.flow(0, 0, netwrok="pwc_net")': "Unexpected keyword argument",
}


@pytest.mark.slow
def test_a_user_program_type_checks(tmp_path):
    wrong = "".join(f"{line}\n" for line in WRONG)
    file = tmp_path / "program.py"
    file.write_text(f"{PROGRAM}\n{wrong}")
    options = ["--config-file=", "--follow-imports=silent", "--ignore-missing-imports"]
    command = [sys.executable, "-m", "mypy", *options, "--cache-dir", ".mypy_cache/user"]
    found = subprocess.run([*command, file], cwd=ROOT, capture_output=True, text=True).stdout
    first = len(file.read_text().splitlines()) - len(WRONG) + 1
    errors = [line for line in found.splitlines() if "error:" in line]
    for number, (line, message) in enumerate(WRONG.items(), start=first):
        mine = [error for error in errors if f"program.py:{number}:" in error]
        assert any(message in error for error in mine), (line, found)
    assert len(errors) == len(WRONG), found


def test_the_package_is_typed_and_the_stub_has_its_public_names():
    package = Path(vfi_jax.__file__).parent
    assert (package / "py.typed").exists()
    stub = ast.parse((package / "__init__.pyi").read_text())
    homes = {
        name.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and node.module != "vfi_jax"
        for name in node.names
    }
    assert homes == vfi_jax._HOME
