"""Data sets and initial weights in an object store."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.support import ROOT
from tests.training import example_package, stand_in_store
from tests.training.test_loop import SECONDS, environment
from vfi_jax.data import sample_tree
from vfi_jax.data.build import Options, build
from vfi_jax.weights import orbax_folder

pytestmark = pytest.mark.slow


@pytest.fixture
def train(tmp_path):
    """Trains the example's system for two steps; gs:// is a folder of tmp_path."""
    paths = os.pathsep.join([str(example_package.install(tmp_path / "installed")), str(ROOT)])
    module = [sys.executable, "-m", "tests.training.stand_in_store", str(tmp_path)]
    words = [example_package.SYSTEM, "--data", "video_folder", "--steps", "2", "--batch", "8"]

    def run(workdir, *more):
        return subprocess.run(
            [*module, stand_in_store.NEVER, "train", *words, "--workdir", workdir, *more],
            cwd=tmp_path,
            env=environment(PYTHONPATH=paths),
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

    return run


def test_a_built_set_and_weights_in_a_bucket_train_as_local_ones_do(train, tmp_path):
    for name in ("train/a", "train/b", "val/c"):
        sample_tree.video(tmp_path / f"videos/{name}.avi")
    build(Options("video_folder", str(tmp_path / "built"), str(tmp_path / "videos")))
    crop = ["--crop", "16", "16", "--eval-every", "2"]
    first = train("first", "--data-dir", "built", *crop)
    assert first.returncode == 0, first.stderr
    for name in ("built", "first"):
        shutil.copytree(tmp_path / name, tmp_path / "bucket" / name)
    start = "first/weights"
    for workdir, place in (("local", ""), ("remote", "gs://bucket/")):
        more = ["--data-dir", f"{place}built", "--start-from", f"{place}{start}"]
        done = train(workdir, *more, *crop)
        assert done.returncode == 0, done.stderr
    one, two, three = (
        orbax_folder.variables(tmp_path / name / "weights")["params"]["logit"]
        for name in ("first", "local", "remote")
    )
    assert two == three != one


def test_published_files_in_a_bucket_are_refused_in_one_line(train, tmp_path):
    done = train("run", "--data-dir", "gs://clips/raw")
    assert done.returncode == 2
    assert "gs://clips/raw must contain the built video_folder" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "gs:").exists()
