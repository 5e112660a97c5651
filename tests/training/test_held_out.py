"""Evaluation on held-out clips."""

import dataclasses

import numpy as np
import pytest

from vfi_jax import registry
from vfi_jax.data.builders import frame_folder, gopro, vimeo90k
from vfi_jax.data.choice import HELD_OUT, Choice
from vfi_jax.data.faults import Faults
from vfi_jax.data.opened import open_clips
from vfi_jax.training import held_out, recipes
from vfi_jax.training.held_out import Evaluation


@pytest.fixture
def vimeo(tmp_path):
    vimeo90k.sample(tmp_path, "triplet")
    return Choice(("vimeo90k/triplet",), tmp_path, batch=2, crop=(16, 16))


@pytest.mark.parametrize("resident", [False, True])
def test_held_out_clips_are_scored_streamed_and_resident(vimeo, monkeypatch, resident):
    monkeypatch.setattr(held_out, "CLIPS", 3)
    recipe = dataclasses.replace(recipes.find("rife"), crop=(16, 16))
    choice = dataclasses.replace(vimeo, resident=resident)
    scores, strip = Evaluation(registry.create("blend"), recipe, choice)({})
    assert set(scores) == {"psnr", "haarpsi", "gmsd"}
    assert np.isfinite(list(scores.values())).all()
    assert strip.shape == (16, 64, 3)


def test_each_data_set_uses_its_own_held_out_split(tmp_path, monkeypatch):
    """A set without a "val" split does not affect the split of another."""
    gopro.sample(tmp_path)  # of which only "test" is held out, cut to 512 x 512
    frame_folder.sample(tmp_path / "train/GOPR0384_11_00")
    choice = Choice(("frame_folder", "gopro"), tmp_path, split=HELD_OUT, crop=(16, 16))
    assert [choice.split_of(name) for name in choice.names] == ["val", "test"]
    names = [clip.name for clip in open_clips(choice, Faults()).clips]
    assert names == ["train/GOPR0384_11_00/b", "GOPR0384_11_00/000001", "GOPR0384_11_00/000009"]


def test_short_held_out_clips_are_reported(vimeo):
    recipe = dataclasses.replace(recipes.find("rife"), crop=(16, 16), gaps=(2, 4))
    with pytest.raises(ValueError, match=r"held-out clips of 3 frames .* gap 4; .*--eval-every 0"):
        Evaluation(registry.create("blend"), recipe, vimeo)
