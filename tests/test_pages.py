"""The programs on the pages of docs/ run as they stand."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
def test_a_video_model_interpolates_on_all_devices():
    (program,) = re.findall(r"```python\n(.*?)```", (DOCS / "in_jax.md").read_text(), re.DOTALL)
    names: dict = {}
    exec(program, names)
    video = names["video"]
    assert video.shape == (8, 5, 32, 48, 3)
    assert video.sharding.spec[0] == "data"
    assert len(video.addressable_shards) == 8
