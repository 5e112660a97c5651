"""The training loop: killed, terminated, out of disk space or non-finite, and its output."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import jax
import numpy as np
import pytest
import tyro

from tests.support import ROOT
from vfi_jax import training, weights
from vfi_jax.cli.__main__ import main
from vfi_jax.data.builders import vimeo90k
from vfi_jax.data.resident import Resident
from vfi_jax.training import loop, run
from vfi_jax.training.options import Options
from vfi_jax.training.workdir import Workdir
from vfi_jax.weights import manifest
from vfi_jax.weights.training_checkpoints import TrainingCheckpoints

pytestmark = pytest.mark.slow

STEPS = 6
COMMON = {
    "system": "voxel_flow/small",
    "data": ("synthetic",),
    "scenes": 2,
    "crop": (32, 32),
    "batch": 8,
    "steps": STEPS,
    "save_every": 2,
    "log_every": 1,
    "eval_every": 0,
}
SECONDS = 300  # time limit of a process; 20 on an idle machine


def options(folder, **changes):
    return Options(workdir=str(folder), **{**COMMON, **changes})


def command(folder, *more, system="voxel_flow/small"):
    words = [system, "--data", "synthetic", "--scenes", "2", "--crop", "32", "32"]
    words += ["--batch", "8", "--steps", str(STEPS), "--save-every", "2", "--eval-every", "0"]
    return [*words, "--workdir", str(folder), *more]


def environment(**changes):
    """Subprocesses share the tests' compilation cache to save half a minute each."""
    return {
        **os.environ,
        "JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
        **changes,
    }


def assert_same(folder, other):
    found, wanted = (weights.load(str(place / "weights"))[1] for place in (folder, other))
    jax.tree.map(np.testing.assert_array_equal, found, wanted)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    given = {name: value for name, value in COMMON.items() if name != "system"}
    assert training.train(COMMON["system"], workdir=folder, **given) == folder / "weights"
    return folder


KILLED = """
import os, signal, sys
from vfi_jax.cli.__main__ import main
from vfi_jax.data.resident import Resident

draw = Resident.draw


def deadly(self, step):
    if step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(self, step)


Resident.draw = deadly
sys.exit(main())
"""


def test_a_killed_run_resumes_to_the_parameters_of_an_uninterrupted_one(whole, tmp_path):
    words = [sys.executable, "-c", KILLED, "train", *command(tmp_path)]
    done = subprocess.run(
        words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert loop.train(options(tmp_path, resume=True))
    assert_same(tmp_path, whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_exits(whole, tmp_path, monkeypatch, number):
    draw = Resident.draw

    def terminated(self, step):
        if step == 2:
            os.kill(os.getpid(), number)
        return draw(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Resident, "draw", terminated)
        assert loop.train(options(tmp_path)) is None
    assert TrainingCheckpoints(tmp_path / "checkpoints").last() == 3
    assert loop.train(options(tmp_path, resume=True))
    assert_same(tmp_path, whole)


def test_steps_without_a_valid_manifest_are_skipped(whole, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    largest = max((folder / "checkpoints/6").rglob("*"), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    (folder / "checkpoints/4" / manifest.MANIFEST).unlink()
    with (
        pytest.warns(UserWarning, match=r"step 6 is skipped: .* is damaged"),
        pytest.warns(UserWarning, match=r"step 4 is skipped: it has no SHA256SUMS"),
    ):
        assert loop.train(options(folder, resume=True))
    assert_same(folder, whole)
    steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").open()]
    assert steps == list(range(1, STEPS + 1))


def test_a_non_finite_loss_stops_and_names_the_clips(tmp_path):
    # Which of the first two steps overflows depends on the processor.
    wanted = (
        r"not finite at step (\d) \(clips synthetic/train/.*\); the last good checkpoint is step \1"
    )
    with pytest.raises(loop.CannotContinue, match=wanted) as stopped:
        loop.train(options(tmp_path, learning_rate=1e30, save_every=1))
    found = re.search(wanted, str(stopped.value))
    assert TrainingCheckpoints(tmp_path / "checkpoints").last() == int(found.group(1)) <= 2


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    yield folder
    # Lazily, because a thread of Orbax may still have a file of the failed save open.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_stops_with_an_intact_last_checkpoint(small_disk):
    with pytest.raises(
        loop.CannotContinue, match=r"No space left.*the last good checkpoint is step \d"
    ):
        loop.train(options(small_disk, steps=50, save_every=1, keep=50))
    steps = TrainingCheckpoints(small_disk / "checkpoints")
    assert not manifest.faults(small_disk / "checkpoints" / str(steps.last()))


def test_an_existing_run_or_a_missing_one_to_resume_is_an_error(tmp_path, capsys):
    (tmp_path / "run.json").write_text(json.dumps({"recipe": {"model": "voxel_flow/small"}}))
    assert main(["train", *command(tmp_path)]) == 2
    assert "continue it with --resume" in capsys.readouterr().err
    assert main(["train", *command(tmp_path / "none", "--resume")]) == 2
    assert "contains no run to resume" in capsys.readouterr().err
    with pytest.raises(ValueError, match="trains voxel_flow/small, got sepconv/small"):
        loop.train(options(tmp_path, system="sepconv/small", resume=True))


def test_a_moving_average_cannot_be_added_or_removed_when_resuming(tmp_path):
    record = {"recipe": {"model": "voxel_flow/small", "ema": 0.99}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"has --ema 0\.99, got 0\.0; a moving average cannot"):
        loop.train(options(tmp_path, ema=0.0, resume=True))


def test_what_stops_training_is_one_line_and_exit_code_1(tmp_path, monkeypatch, capsys):
    def stop(options):
        raise loop.CannotContinue("why")

    monkeypatch.setattr(loop, "train", stop)
    assert main(["train", *command(tmp_path)]) == 1
    assert capsys.readouterr().err == "vfi-jax: stopped: why\n"


def test_a_folder_contains_everything_to_repeat_its_run(whole):
    record = json.loads((whole / "run.json").read_text())
    assert record["seed"] == 0
    assert record["recipe"]["crop"] == [32, 32]
    assert record["packages"]["jax"] == jax.__version__
    assert record["command"][:2] == ["vfi-jax", "train"]
    assert tyro.cli(Options, args=record["command"][2:]) == options(whole)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=ROOT)
    assert record["commit"] == (head.stdout.strip() or None)  # none outside of a git checkout
    fields = {field.name: field for field in dataclasses.fields(Options)}
    assert set(record["options"]) == set(fields)
    lines = [json.loads(line) for line in (whole / "metrics.jsonl").open()]
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    assert all(np.isfinite(line["loss"]) for line in lines)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crop": (36, 36)}, "--crop must be multiples of 8 for voxel_flow/small, got 36 36"),
        ({"crop": (32, 40)}, "--crop must be square, because the recipe of voxel_flow"),
        ({"system": "shared_pyramid", "batch": 1}, "--batch must be larger for shared_pyramid"),
        ({"accumulate": 0}, "--accumulate must be at least 1, got 0"),
        ({"steps_per_dispatch": 0}, "--steps-per-dispatch must be at least 1, got 0"),
        ({"batch": 0}, "--batch must be at least 1, got 0"),
        ({"batch": -8}, "--batch must be at least 1, got -8"),
        ({"steps": 0}, "--steps must be at least 1, got 0"),
        ({"ema": 2.0}, r"--ema must be at least 0 and below 1, got 2\.0"),
        ({"learning_rate": -1.0}, r"--learning-rate must be above 0, got -1\.0"),
        ({"gaps": (2, 16)}, "clips of 9 frames have no window .* with gap 16"),
        ({"recipe": "a:B"}, "name one recipe: .* got voxel_flow/small and --recipe a:B"),
        ({"system": ""}, "name one recipe: .* got none"),
        ({"data_dir": "s3://clips/built"}, "--data-dir must be a local folder or in gs://"),
        ({"processes": 2}, "--processes 2 and --process None need --coordinator"),
    ],
)
def test_invalid_numbers_are_rejected_first(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        loop.train(options(tmp_path / "run", **changes))
    assert not (tmp_path / "run").exists()


def test_a_streamed_run_is_evaluated(tmp_path):
    vimeo90k.sample(tmp_path / "data", "triplet")
    streamed = {"data": ("vimeo90k/triplet",), "data_dir": tmp_path / "data"}
    assert loop.train(options(tmp_path / "run", **streamed, steps=2, eval_every=1))
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").open()]
    assert [line["step"] for line in lines if line["kind"] == "eval"] == [1, 2]


def test_fewer_steps_than_taken_are_rejected(whole, tmp_path):
    folder = shutil.copytree(whole, tmp_path / "run")
    with pytest.raises(ValueError, match=f"has taken {STEPS} steps, more than --steps 2"):
        loop.train(options(folder, steps=2, resume=True))


def test_changes_of_a_resumed_run_are_reported(tmp_path):
    start, same = options(tmp_path), options(tmp_path, resume=True)
    other = dataclasses.replace(same, learning_rate=0.5, scenes=3)
    workdir = Workdir(tmp_path)
    changes = [run.write_record(workdir, each, run.resolve(each)) for each in (start, same, other)]
    assert changes == [[], [], ["learning_rate 0.01 -> 0.5", "scenes 2 -> 3"]]
