import pytest

from tests.video.clips import facts, make
from vfi_jax.cli.__main__ import main


def test_a_blurred_video_keeps_its_frames_and_times(tmp_path, capsys):
    source, target = make(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    assert main(["blur", str(source), str(target), "--samples", "4", "--model", "blend"]) == 0
    assert facts(target).times == facts(source).times
    assert "6 -> 6 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shutter", "400"], "shutter must be 0 to 360 degrees, got 400"),
        (["--samples", "0"], "samples must be a whole number of at least 1"),
        (["--model", "sepconv/small", "--shutter", "100"], "cannot be reached"),
    ],
)
def test_what_a_user_can_mend_is_one_line(tmp_path, capsys, words, message):
    source = make(tmp_path / "in.mp4")
    assert main(["blur", str(source), str(tmp_path / "out.mp4"), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out.mp4").exists()
