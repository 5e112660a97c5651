"""`vfi-jax models` lists contracts, sizes and installed weights."""

import json

import pytest

from tests import support
from vfi_jax import registry, weights
from vfi_jax.cli import models
from vfi_jax.cli.__main__ import main

NAMES = ["blend", "voxel_flow", "voxel_flow/small"]


@pytest.fixture(autouse=True)
def _few(monkeypatch, nothing_ships):
    """Models are traced in their own tests, and the included weights may change."""
    monkeypatch.setattr(registry, "list_models", lambda: NAMES)
    monkeypatch.setattr(registry, "list_networks", lambda: ["spynet/small"])


def test_the_table_has_a_row_per_model(capsys):
    assert main(["models"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "blend 2 frames: any time 0 none needed" in shown
    assert "voxel_flow 2 frames: 0.5 3,821,891 1702.02463 missing non-commercial" in shown
    assert "voxel_flow/small 2 frames: 0.5 242,003 1702.02463 missing" in shown
    assert "spynet/small (network) 78,568" in shown


def test_it_lists_recommendations(capsys, monkeypatch):
    monkeypatch.setattr(registry, "list_models", lambda: [weights.DEFAULT, "practical_rife/4.25"])
    monkeypatch.setattr(models, "_parameters", lambda names: dict.fromkeys(names, 1))
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    assert f"no download: the default, included in the package: {weights.DEFAULT}" in shown
    assert "most videos: practical_rife/4.25" in shown


def test_json_output_is_valid(capsys):
    small = NAMES[2]
    variables = support.variables(registry.create(small))
    folder = weights.save(small, small, variables, licence="Apache-2.0")
    assert main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == [*NAMES, "spynet/small"]
    assert rows[small]["weights"] == str(folder)
    assert rows[small]["licence"] == "Apache-2.0"
    assert rows["blend"]["contract"]["times"] is None
    assert rows["voxel_flow"]["paper"] == "arXiv:1702.02463"
    assert rows["voxel_flow"]["advice"].startswith("get FILE from https://drive.google.com/")
    assert rows["blend"]["advice"] == ""


def test_parameter_counts_are_cached(capsys, monkeypatch):
    assert main(["models"]) == 0
    first = capsys.readouterr()
    assert first.err.startswith("counting parameters: about a minute")
    monkeypatch.delattr(registry, "abstract_variables")
    assert main(["models"]) == 0
    second = capsys.readouterr()
    assert (second.out, second.err) == (first.out, "")
