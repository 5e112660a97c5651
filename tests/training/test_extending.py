"""What installed packages add, by the example of docs/extending.md."""

import importlib.metadata
import json
import os
import subprocess
import sys

import pytest

from tests.support import ROOT
from tests.training import example_package
from tests.training.test_loop import SECONDS, environment
from vfi_jax import lookup, weights
from vfi_jax.training import recipes


@pytest.fixture
def installed(tmp_path):
    """The example's package."""
    return example_package.install(tmp_path / "installed")


@pytest.mark.slow
def test_the_example_package_trains(installed, tmp_path, monkeypatch):
    words = ["weighted", "--steps", "2", "--eval-every", "0", "--workdir", "run"]
    done = subprocess.run(
        [sys.executable, "-m", "vfi_jax.cli", "train", *words],
        cwd=tmp_path,
        env=environment(PYTHONPATH=os.pathsep.join([str(installed), str(ROOT)])),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert record["recipe"]["data"] == ["moving_noise"]
    assert record["command"] == ["vfi-jax", "train", *words[:1], *record["command"][3:]]
    monkeypatch.syspath_prepend(installed)
    lookup._added.cache_clear()
    _, variables = weights.load(tmp_path / "run/weights")
    assert variables["params"]["logit"] != 0
    lookup._added.cache_clear()
    # By its module it is found without entry points.
    assert recipes.load("weighted:RECIPE").model == "weighted"


@pytest.fixture
def entry_point(monkeypatch):
    """Adds an entry point for a test."""

    def add(group, name, value):
        point = importlib.metadata.EntryPoint(name, value, group)
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
        lookup._added.cache_clear()

    yield add
    lookup._added.cache_clear()


def test_built_in_names_have_priority_and_package_errors_are_one_line(entry_point):
    package = "vfi_jax.training.recipes"
    entry_point(package, "rife", "json")
    assert recipes.find("rife").model == "rife"
    entry_point(package, "mine", "json")
    with pytest.raises(ValueError, match=r"'mine', .* json .* must define RECIPES; it lacks RECIP"):
        recipes.find("mine")
    entry_point(package, "mine", "not_there")
    with pytest.raises(ValueError, match="cannot be imported: No module named 'not_there'; fix"):
        recipes.list_recipes()
    entry_point("vfi_jax.cli", "mine", "json")
    assert "mine" not in lookup.modules("vfi_jax.cli")


def test_invalid_recipes_are_rejected():
    for reference, message in (
        ("json", r"must be package\.module:NAME, got 'json'"),
        ("not_there:RECIPE", "No module named 'not_there'; install its package"),
        ("json:loads", r"must be a vfi_jax\.training\.Recipe, got function"),
    ):
        with pytest.raises(ValueError, match=message):
            recipes.load(reference)
