import cv2

from tests.video.clips import facts
from vfi_jax import weights
from vfi_jax.cli.__main__ import main


def test_demo_writes_what_it_says(tmp_path, capsys):
    words = ["--out", str(tmp_path / "demo"), "--frames", "4", "--height", "48", "--width", "80"]
    assert main(["demo", *words, "--multi", "2"]) == 0
    said = capsys.readouterr().out
    assert "PSNR" in said
    assert weights.DEFAULT in said
    found = facts(tmp_path / "demo/demo.mp4")
    assert (found.size, found.rate, len(found.times)) == ((80, 48), 24, 7)
    for name in ("demo_side_by_side.png", "demo_strip.png"):
        assert name in said
        assert cv2.imread(str(tmp_path / "demo" / name)).std() > 20


def test_demo_needs_two_frames(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path), "--frames", "1"]) == 2
    assert "frames must be at least 2" in capsys.readouterr().err
