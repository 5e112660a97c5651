"""The programs on the pages of docs/ run as they stand."""

import re
from pathlib import Path

import jax
import numpy as np
import pytest

import vfi_jax

DOCS = Path(__file__).parents[1] / "docs"
VIDEO, TUNING, SHARING = re.findall(
    r"```python\n(.*?)```", (DOCS / "in_jax.md").read_text(), re.DOTALL
)


@pytest.mark.slow
def test_a_video_model_interpolates_on_all_devices():
    names: dict = {}
    exec(VIDEO, names)
    video = names["video"]
    assert video.shape == (8, 5, 32, 48, 3)
    assert video.sharding.spec[0] == "data"
    assert len(video.addressable_shards) == 8


@pytest.mark.slow
def test_shipped_weights_are_tuned_as_a_module_of_nnx_and_load_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(TUNING, names)
    assert names["losses"][2] < names["losses"][0]
    _, found = vfi_jax.load("./tuned")
    jax.tree.map(np.testing.assert_array_equal, found, names["tuned"])
    with pytest.raises(AssertionError):
        jax.tree.map(np.testing.assert_array_equal, found, names["variables"])


def test_shipped_weights_are_shared_as_hubs_want_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(SHARING, names)
    jax.tree.map(np.testing.assert_array_equal, names["variables"], vfi_jax.load("mind/small")[1])
