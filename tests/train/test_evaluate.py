"""Scores of clips that training never sees."""

import dataclasses

import numpy as np
import pytest

from tests.data import trees
from train import evaluate, recipe
from train.evaluate import Evaluation
from vfi_jax import registry
from vfi_jax.data.source import Choice


@pytest.fixture
def vimeo(tmp_path):
    trees.vimeo90k(tmp_path, "triplet")
    return Choice(("vimeo90k/triplet",), tmp_path, batch=2, crop=(16, 16))


@pytest.mark.parametrize("resident", [False, True])
def test_held_out_clips_are_scored_streamed_and_resident(vimeo, monkeypatch, resident):
    monkeypatch.setattr(evaluate, "CLIPS", 3)
    recipe_ = dataclasses.replace(recipe.find("rife"), crop=(16, 16))
    choice = dataclasses.replace(vimeo, resident=resident)
    scores, strip = Evaluation(registry.create("blend"), recipe_, choice)({})
    assert np.isfinite(scores["psnr"])
    assert strip.shape == (16, 64, 3)
