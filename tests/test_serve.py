"""The functions of the web page, and the page itself if gradio is installed."""

import re
import shutil
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest

from tests.video.clips import FRAMES, facts, frames, make
from vfi_jax import serve, weights
from vfi_jax.serve import Request
from vfi_jax.video import write_frames

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.parametrize(
    ("request_", "rate", "count", "codec"),
    [
        (Request("blend", factor=3), 90, 3 * FRAMES - 2, "h264"),
        (Request("blend", way=serve.SLOWER, factor=3), 30, 3 * FRAMES - 2, "h264"),
        (Request("blend", fps="45", codec="VP9"), 45, 8, "vp9"),
        (Request("blend", way=serve.SLOWER, fps="60"), 60, 21, "h264"),
    ],
)
def test_a_video_becomes_smoother_or_slower(tmp_path, request_, rate, count, codec):
    source, seen = make(tmp_path / "in.mp4"), []
    folder = tmp_path / "out"
    folder.mkdir()
    report = serve.interpolate(source, folder, request_, lambda *counts: seen.append(counts))
    assert report.target.parent == folder
    found = facts(report.target)
    assert (len(found.times), found.rate, found.codec) == (count, rate, codec)
    assert report.frames_out == count
    assert seen[-1][0] == count


@pytest.mark.parametrize("factor", [1, serve.MOST + 1])
def test_a_factor_out_of_range_is_rejected(factor):
    with pytest.raises(ValueError, match=f"factor must be 2 to 16, got {factor}"):
        Request("blend", factor=factor)


@pytest.mark.parametrize("slow", [1, 2])
def test_the_comparison_shows_the_most_different_frame(tmp_path, slow):
    given = [np.full((16, 16, 3), value, np.uint8) for value in (0, 40, 200)]
    new = [np.full((32, 32, 3), value, np.uint8) for value in (0, 20, 40, 120, 200)]
    write_frames(tmp_path / "in.gif", given, fps=10)
    write_frames(tmp_path / "out.gif", new, fps=Fraction(20, slow))
    left, right = serve.compared(tmp_path / "in.gif", tmp_path / "out.gif", slow=slow)
    assert (left == np.full((32, 32, 3), 40)).all()
    assert (right == 120).all()


def test_a_request_leaves_no_folder_behind(tmp_path, monkeypatch):
    gradio = MagicMock(Error=type("Error", (Exception,), {"__init__": _remember}))
    monkeypatch.setitem(sys.modules, "gradio", gradio)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    serve.page()
    answer = gradio.Button.return_value.click.call_args.args[0]
    options = ("blend", serve.SMOOTHER, 2, "", "H.264", False)
    answers = answer(str(make(tmp_path / "in.mp4")), *options)
    target, pair, report = next(answers)
    assert facts(Path(target)).rate == 60
    assert len(pair) == 2
    assert report.startswith("in.mp4 -> in.mp4\n")
    assert str(tmp_path) not in report
    assert next(answers, None) is None
    for source, given in ((str(tmp_path / "none.mp4"), options), (None, options)):
        with pytest.raises(gradio.Error) as error:
            next(answer(source, *given))
        assert not error.value.print_exception
        assert str(tmp_path) not in error.value.message
    assert not list((tmp_path / "temporary").iterdir())


def _remember(self, message, *, print_exception):
    self.message, self.print_exception = message, print_exception


def test_only_systems_with_weights_are_offered():
    assert weights.DEFAULT in serve.models()
    assert all(weights.at_hand(name) for name in serve.models())


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_page_works_in_a_browser(tmp_path, monkeypatch):
    pytest.importorskip("gradio")
    playwright = pytest.importorskip("playwright.sync_api")
    monkeypatch.setattr(weights, "DEFAULT", "blend")  # compiled at once
    monkeypatch.setattr(serve, "models", lambda: ["blend"])
    source = make(tmp_path / "in.mp4", frames(height=64, width=96))
    blocks = serve.page()
    _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True)
    try:
        with playwright.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page()
            page.set_default_timeout(60_000)
            page.goto(url)
            page.locator("#source input[type=file]").set_input_files(str(source))
            page.locator("#source video").wait_for()
            page.locator("#go").click()
            report = page.locator("#report textarea")
            done = re.compile("30 -> 60 frames/s")
            playwright.expect(report).to_have_value(done, timeout=60_000)
            page.locator("#result video").wait_for()
            assert page.locator("#pair img").count() == 2
            page.screenshot(path=str(tmp_path / "page.png"), full_page=True)
            page.get_by_label("Frame rate").fill("many")
            page.locator("#go").click()
            page.get_by_text("a frame rate must be like 60").wait_for()
            browser.close()
    finally:
        blocks.close()
