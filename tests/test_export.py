"""An exported file gives the same results as the package."""

import sys

import jax
import numpy as np
import pytest

from tests import support
from vfi_jax import Interpolator, create, load
from vfi_jax.cli.__main__ import main
from vfi_jax.data.scene import Scene
from vfi_jax.export import export

FRAMES = np.stack([Scene(1, 36, 41, motion=4).frame(time) for time in (0, 1)])


def called(path, frames, times):
    function = jax.export.deserialize(path.read_bytes())
    return np.asarray(jax.jit(function.call)(frames[None], np.float32([times])))[0]


def test_an_exported_network_gives_the_same_result(tmp_path):
    model = create("voxel_flow/small")
    variables = support.variables(model)
    path = export(model, variables, tmp_path / "model.jax", size=FRAMES.shape[1:3])
    wanted = Interpolator(model, variables)(FRAMES, [0.5])
    np.testing.assert_allclose(called(path, FRAMES, [0.5]), wanted, atol=5e-5)


def test_the_default_is_lowered_for_every_platform(tmp_path):
    path = export(*load(), tmp_path / "model.jax", size=(36, 41), times=3, batch=2)
    function = jax.export.deserialize(path.read_bytes())
    assert set(function.platforms) == {"cpu", "cuda", "tpu"}
    assert function.out_avals[0].shape == (2, 3, 36, 41, 3)


def test_the_command_writes_a_file_once(tmp_path, capsys):
    command = ["export", "blend", str(tmp_path / "model.jax"), "--size", "41x36", "--times", "2"]
    assert main(command) == 0
    made = called(tmp_path / "model.jax", FRAMES, [0.25, 0.5])
    np.testing.assert_allclose(made[0], 0.75 * FRAMES[0] + 0.25 * FRAMES[1], atol=1e-6)
    assert main(command) == 2
    assert "model.jax exists; --overwrite" in capsys.readouterr().err
    assert main([*command, "-y"]) == 0


def test_a_missing_package_is_reported_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "flatbuffers", None)
    assert main(["export", "blend", str(tmp_path / "model.jax"), "--size", "8x8"]) == 2
    assert "[export]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (0, 8)}, "height must be at least 1, got 0"),
        ({"times": 0}, "times must be at least 1, got 0"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"platforms": ["npu"]}, "platforms must be some of .*, got"),
        ({"name": "mind/small", "times": 3}, "times must be 1, as in its contract, got 3"),
        ({"target": "no/model.jax"}, "folder .*no does not exist"),
        ({"target": "."}, "is a folder; name a file"),
    ],
)
def test_wrong_arguments_are_one_line_and_leave_nothing(tmp_path, options, message):
    options = {"size": (8, 8), "name": "blend", "target": "model.jax", **options}
    model, target = create(options.pop("name")), tmp_path / options.pop("target")
    with pytest.raises(ValueError, match=message):
        export(model, {}, target, **options)
    assert not list(tmp_path.iterdir())
