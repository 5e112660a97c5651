import dataclasses
import os
import subprocess
import sys

import jax.numpy as jnp
import pytest

from vfi_jax import registry, weights
from vfi_jax.cli import interpolate
from vfi_jax.video import Computing, Output, Timing, interpolate_video, loading
from vfi_jax.video.loading import flow_scale_for, load
from vfi_jax.video.options import gathered, replaced

from .clips import make

GROUPS = (Timing, Computing, Output)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"multi": 4, "fps": 60}, "give multi or fps, not both; got 4 and 60"),
        ({"slow": 10**8}, "slow must be a whole number from 1 to 1000, got 100000000"),
        ({"multi": float("nan")}, "multi must be a whole number from 1 to 1000, got nan; or give"),
        ({"fps": 1e9}, r"fps must be at most 1000 frames/s, got 1000000000\.0"),
        ({"source_fps": "1e9"}, "source_fps must be at most 1000"),
        ({"shutter": 400}, "shutter must be 0 to 360"),
    ],
)
def test_what_contradicts_or_cannot_be_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Timing(**given)


def test_memory_and_tiles_that_no_frame_fits_into_are_refused():
    with pytest.raises(
        ValueError, match=r"at least 16 MiB, got 0\.102 MiB; --memory counts in GiB"
    ):
        Computing(memory=0.0001 * 2**30)
    with pytest.raises(ValueError, match="tile must be at least 16 pixels, got 1"):
        Computing(tile=1)


def test_weights_that_are_nowhere_are_called_so():
    with pytest.raises(ValueError, match="weights 'nope': no such file or folder"):
        load(Computing(weights="nope", model="blend"))


@pytest.fixture
def _without_weights(monkeypatch):
    """Models are created and not loaded, which takes seconds."""
    monkeypatch.setattr(weights, "load", lambda name, **given: (registry.create(name, **given), {}))


@pytest.mark.usefixtures("_without_weights")
def test_flow_scale_follows_the_frame_size_unless_it_is_given():
    sizes = {
        **{(1920, 1080): 1, (2560, 1440): 1, (3840, 1600): 0.5, (2160, 3840): 0.5},
        **{(7680, 4320): 0.25, (3840, 1392): 0.5, (8192, 64): 1},
    }
    assert {size: flow_scale_for(*size) for size in sizes} == sizes
    chosen = load(Computing(model="rife"), 0.5)
    assert (chosen.flow_scale, chosen.interpolator.contract.multiple) == (0.5, 64)
    given = Computing(model="rife", config={"flow_scale": 1})
    loaded = Computing(model=(registry.create("rife"), {}))
    as_authors = Computing(model="rife", padding="rife")
    for computing in (given, loaded, as_authors, Computing(model="blend")):
        assert load(computing, 0.5).flow_scale == 1


@pytest.mark.usefixtures("_without_weights")
def test_the_chosen_flow_scale_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "FLOW_SCALES", ((1, 0.5),))
    target, source = tmp_path / "out.mp4", make(tmp_path / "in.mp4")
    report = interpolate_video(source, target, model="rife", dry_run=True)
    (note,) = report.warnings
    assert note == (
        "large frames: flow is estimated at flow scale 0.5; --flow-scale 1 uses the full resolution"
    )


@pytest.mark.parametrize(
    ("name", "value", "field", "wanted"),
    [
        ("dtype", "bfloat16", jnp.bfloat16, "float32 or bfloat16"),
        ("precision", "default", "default", "highest, high or default"),
    ],
)
def test_dtype_and_precision_go_to_the_model(monkeypatch, name, value, field, wanted):
    given = {}
    found = weights.load("blend")
    monkeypatch.setattr(weights, "load", lambda model, **config: given.update(config) or found)
    load(Computing(**{name: value}))
    assert given == {name: field}
    with pytest.raises(ValueError, match=f"{name} must be {wanted}, got 'float16'"):
        Computing(**{name: "float16"})
    with pytest.raises(ValueError, match=f"{name} needs a model's name"):
        Computing(**{name: value}, model=found)


@pytest.mark.parametrize("text", ["0,0", "99", "-1", "all"])
def test_devices_that_are_not_there_are_an_error(text):
    with pytest.raises(
        ValueError, match=rf"devices must be among 0 \(cpu\).*, each once, got '{text}'"
    ):
        load(Computing(model="blend", devices=text))


def test_two_devices_give_the_frames_of_one(tmp_path):
    source = make(tmp_path / "in.mp4")
    interpolate_video(source, tmp_path / "one")
    words = ["interpolate", source, tmp_path / "two", "--model", "blend", "--devices", "0,1"]
    done = subprocess.run(
        [sys.executable, "-m", "vfi_jax.cli", *map(str, words)],
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "on 2 devices" in done.stderr
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert len(one) == 11
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_the_command_has_the_defaults_of_the_library():
    args = interpolate.Args(paths=("in.mp4", "out.mp4"))
    for group in GROUPS:
        assert gathered(group, args) == group()


def test_options_by_name_replace_fields_wherever_they_belong():
    timing, computing, output = replaced((Timing(slow=4), Computing(), Output()), {"multi": 8})
    assert (timing, computing, output) == (Timing(slow=4, multi=8), Computing(), Output())
    with pytest.raises(TypeError, match="unknown option 'codex'; did you mean codec"):
        interpolate_video("in.mp4", "out.mp4", codex="libx264")


def test_no_name_belongs_to_two_groups():
    names = [field.name for group in GROUPS for field in dataclasses.fields(group)]
    assert len(names) == len(set(names))
