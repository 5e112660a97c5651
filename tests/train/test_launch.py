"""The launch scripts start the right commands."""

import os
import shlex
import subprocess

import pytest
import tyro

from tests.support import ROOT
from vfi_jax.training.options import Options

WORDS = ["sepconv", "--workdir", "gs://bucket/a run", "--batch", "16"]


@pytest.fixture
def launch(tmp_path):
    """Run a script with srun and gcloud replaced by commands that print their arguments."""
    for name in ("srun", "gcloud"):
        (tmp_path / name).write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        (tmp_path / name).chmod(0o755)

    def run(script, *words, **environment):
        paths = f"{tmp_path}:{os.environ['PATH']}"
        done = subprocess.run(
            [ROOT / "train" / script, *words],
            env={**os.environ, "PATH": paths, **environment},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.splitlines()

    return run


def _options(command):
    assert command[:2] == ["vfi-jax", "train"]
    return tyro.cli(Options, args=command[2:])


@pytest.mark.parametrize("restarts", ["", "0", "2"])
def test_slurm(launch, restarts):
    wanted = Options(
        system="sepconv",
        workdir="gs://bucket/a run",
        batch=16,
        coordinator="auto",
        resume=restarts == "2",
    )
    environment = {"SLURM_RESTART_COUNT": restarts} if restarts else {}
    assert _options(launch("slurm.sh", *WORDS, **environment)) == wanted


def test_tpu_pod(launch):
    *words, command = launch("tpu_pod.sh", "slice", *WORDS, ZONE="here")
    assert words[3:6] == ["ssh", "slice", "--zone"]
    assert "--worker=all" in words
    wanted = Options(system="sepconv", workdir="gs://bucket/a run", batch=16, coordinator="auto")
    assert _options(shlex.split(command)) == wanted
