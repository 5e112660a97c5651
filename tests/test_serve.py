"""The web page's work, without the page; and the page, where gradio is installed."""

import pytest

from tests.video.clips import FRAMES, facts, make
from vfi_jax import serve, weights


@pytest.mark.parametrize(("way", "rate"), [(serve.SMOOTHER, 90), (serve.SLOWER, 30)])
def test_a_video_becomes_smoother_or_slower(tmp_path, way, rate):
    source, seen, count = make(tmp_path / "in.mp4"), [], 3 * FRAMES - 2
    report = serve.interpolate(source, "blend", way, 3, False, lambda *counts: seen.append(counts))
    assert report.target.name == "in.mp4"
    assert len(facts(report.target).times) == report.frames_out == count
    assert facts(report.target).rate == rate
    assert seen[-1] == (count, count)
    assert list(tmp_path.iterdir()) == [source]


def test_the_systems_offered_have_weights():
    assert weights.DEFAULT in serve.models()
    assert all(weights.at_hand(name) for name in serve.models())


def test_the_page_is_built():
    pytest.importorskip("gradio")
    assert serve.page().fns
