import re

import cv2
import pytest

from tests import support
from tests.video.clips import facts
from vfi_jax import weights
from vfi_jax.cli import _gallery
from vfi_jax.cli.__main__ import main


def test_demo_writes_the_files_that_it_lists(tmp_path, capsys):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/demo.mp4").write_text("of an earlier run")
    words = ["--out", str(tmp_path / "demo"), "--frames", "4", "--height", "48", "--width", "80"]
    assert main(["demo", *words, "--multi", "2", "-y"]) == 0
    output = capsys.readouterr().out
    assert "PSNR" in output
    assert weights.DEFAULT in output
    found = facts(tmp_path / "demo/demo.mp4")
    assert (found.size, found.rate, len(found.times)) == ((80, 48), 24, 7)
    for name in ("demo_side_by_side.png", "demo_strip.png"):
        assert name in output
        assert cv2.imread(str(tmp_path / "demo" / name)).std() > 20


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--frames", "1", "--frames must be at least 2, got 1"),
        ("--multi", "0", "--multi must be at least 1, got 0"),
        ("--fps", "0", "--fps must be at least 1, got 0"),
        ("--height", "0", "--height must be at least 2, got 0"),
        ("--width", "-4", "--width must be at least 2, got -4"),
    ],
)
def test_invalid_scenes_are_rejected_before_rendering(tmp_path, capsys, option, value, message):
    assert main(["demo", "--out", str(tmp_path / "demo"), option, value]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("name", ["demo.mp4", "demo_strip.png"])
def test_existing_files_are_kept(tmp_path, capsys, name):
    (tmp_path / name).write_text("mine")
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert f"{name} exists; --overwrite replaces it" in capsys.readouterr().err
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(name, "mine")]


def test_the_gallery_page_shows_every_image(tmp_path, capsys):
    words = ["--model", "sepconv/small", "--height", "64", "--width", "96", "--fps", "24"]
    assert main(["demo", "--gallery", str(tmp_path), *words]) == 0
    assert "sepconv/small: strip, kernels" in capsys.readouterr().out
    page = (tmp_path / "index.html").read_text()
    pictures = [file.name for file in tmp_path.glob("*.png")]
    assert sorted(pictures) == ["sepconv-small-kernels.png", "sepconv-small-strip.png"]
    assert sorted(re.findall(r'img src="([^"]+)"', page)) == sorted(pictures)
    assert re.search(r"midpoint frame: [1-4]\d\.\d\d dB", page)
    assert main(["demo", "--gallery", str(tmp_path)]) == 2
    assert "index.html exists; --overwrite replaces it" in capsys.readouterr().err


def test_the_gallery_has_every_system_with_included_weights():
    assert set(_gallery.drawable()) >= set(support.SHIPPED)
