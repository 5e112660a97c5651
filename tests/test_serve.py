"""The web page's work, without the page; and the page, where gradio is installed."""

import sys
import tempfile
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from tests.video.clips import FRAMES, facts, make
from vfi_jax import serve, weights


@pytest.mark.parametrize(("way", "rate"), [(serve.SMOOTHER, 90), (serve.SLOWER, 30)])
def test_a_video_becomes_smoother_or_slower(tmp_path, way, rate):
    source, seen, count = make(tmp_path / "in.mp4"), [], 3 * FRAMES - 2
    folder = tmp_path / "out"
    folder.mkdir()
    report = serve.interpolate(
        source, folder, "blend", way, 3, False, lambda *counts: seen.append(counts)
    )
    assert report.target == folder / "in.mp4"
    assert len(facts(report.target).times) == report.frames_out == count
    assert facts(report.target).rate == rate
    assert seen[-1] == (count, count)


@pytest.mark.parametrize("factor", [1, serve.MOST + 1])
def test_a_factor_past_the_sliders_ends_is_refused(tmp_path, factor):
    with pytest.raises(ValueError, match=f"factor must be 2 to 16, got {factor}"):
        serve.interpolate("in.mp4", tmp_path, "blend", serve.SLOWER, factor, False)


def test_a_click_leaves_no_folder_behind(tmp_path, monkeypatch):
    gradio = MagicMock(Error=RuntimeError)
    monkeypatch.setitem(sys.modules, "gradio", gradio)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    serve.page()
    answer = gradio.Button.return_value.click.call_args.args[0]
    options = ("blend", serve.SMOOTHER, 2, False)
    answers = answer(str(make(tmp_path / "in.mp4")), *options)
    target, _ = next(answers)
    assert facts(Path(target)).rate == 60
    assert next(answers, None) is None
    with pytest.raises(RuntimeError, match=r"none\.mp4"):
        next(answer("none.mp4", *options))
    assert not list((tmp_path / "temporary").iterdir())


def test_the_systems_offered_have_weights():
    assert weights.DEFAULT in serve.models()
    assert all(weights.at_hand(name) for name in serve.models())


def test_the_page_is_built():
    pytest.importorskip("gradio")
    assert serve.page().fns
