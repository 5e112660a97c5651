"""`vfi-jax match` writes two images and a table."""

import csv

import numpy as np
import pytest

from tests.golden import standin
from vfi_jax import images
from vfi_jax.cli import _match_pictures as pictures
from vfi_jax.cli.__main__ import main
from vfi_jax.matching import Matches


@pytest.fixture
def pair(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, shift in zip(paths, ((1.5, 0), (-1.5, 0)), strict=True):
        images.write(path, standin.image(5, 40, 52, shift=shift))
    return [str(path) for path in paths]


@pytest.mark.slow
def test_both_images_and_the_table_are_written(pair, tmp_path, capsys):
    out, table = tmp_path / "found.png", tmp_path / "found.csv"
    options = ["--out", str(out), "--csv", str(table), "--grid", "8", "--reach", "6"]
    assert main(["match", *pair, *options]) == 0
    assert "30 matches" in capsys.readouterr().out
    assert images.read(tmp_path / "found-field.png").shape == (40, 52, 3)
    assert images.read(out).shape[1] >= pictures.WIDTH
    rows = list(csv.DictReader(table.open()))
    assert len(rows) == 30
    assert all(0 <= float(row["confidence"]) <= 1 for row in rows)


def test_images_of_different_sizes_are_rejected_by_name(pair, tmp_path, capsys):
    images.write(tmp_path / "c.png", np.zeros((8, 8, 3), np.uint8))
    assert main(["match", pair[0], str(tmp_path / "c.png")]) == 2
    assert "c.png is 8x8" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "value"), [("--lines", "0"), ("--out", "found.jpg")])
def test_invalid_outputs_are_rejected_before_matching(pair, capsys, option, value):
    assert main(["match", *pair, option, value]) == 2
    assert option in capsys.readouterr().err


def test_confident_matches_dominate_the_motion_field():
    points = np.stack(np.meshgrid(np.arange(2, 24, 4), np.arange(2, 24, 4)), -1).reshape(-1, 2)
    motion = np.tile(np.float32([3, 0]), (len(points), 1))
    confidence = np.ones(len(points), np.float32)
    grey = np.full((24, 24, 3), 255, np.uint8)
    clean = pictures.field(
        grey, Matches(points, points - motion / 2, points + motion / 2, confidence)
    )
    motion[14], confidence[14] = (-8, 8), 0.01  # one wrong match with low confidence
    wild = pictures.field(
        grey, Matches(points, points - motion / 2, points + motion / 2, confidence)
    )
    np.testing.assert_allclose(wild, clean, atol=2)
