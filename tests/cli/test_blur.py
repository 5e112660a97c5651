import numpy as np
import pytest

from tests.video.clips import facts, make
from vfi_jax.cli.__main__ import main
from vfi_jax.video import read_frames, write_frames


def test_a_blurred_video_keeps_its_frames_and_times(tmp_path, capsys):
    source, target = make(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    assert main(["blur", str(source), str(target), "--samples", "4", "--model", "blend"]) == 0
    assert facts(target).times == facts(source).times
    assert "6 -> 6 frames" in capsys.readouterr().out


def test_a_shutter_of_180_degrees_is_open_for_half_of_the_interval(tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    write_frames(source, np.uint8([0, 200, 0]).reshape(3, 1, 1, 1) * np.ones((16, 16, 3), np.uint8))
    words = [str(source), str(target), "--model", "blend", "--scene-threshold", "1"]
    assert main(["blur", *words, "--samples", "2"]) == 0
    light = [(value / 255) ** 2.2 for value in (150, 200, 200, 150)]
    assert np.unique(read_frames(target)[0][1]).tolist() == [
        round(255 * np.mean(light) ** (1 / 2.2))
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shutter", "400"], "shutter must be 0 to 360 degrees, got 400"),
        (["--samples", "1"], "samples must be an even number of at least 2, got 1"),
        (["--model", "sepconv/small", "--shutter", "100"], "shutter 100 with 8 samples: time"),
    ],
)
def test_user_errors_are_one_line(tmp_path, capsys, words, message):
    source = make(tmp_path / "in.mp4")
    assert main(["blur", str(source), str(tmp_path / "out.mp4"), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out.mp4").exists()
