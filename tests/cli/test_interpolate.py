import json

import pytest

from tests.video.clips import facts, make
from vfi_jax.cli.__main__ import main


def test_a_video_is_interpolated(tmp_path, capsys):
    source = make(tmp_path / "in.mp4")
    assert main(["interpolate", str(source), str(tmp_path / "out.mp4")]) == 0
    assert facts(tmp_path / "out.mp4").rate == 60
    output = capsys.readouterr().out.splitlines()
    assert 3 <= len(output) <= 6
    assert "6 -> 11 frames" in output[1]


def test_options_are_passed_on(tmp_path, capsys):
    source = make(tmp_path / "in.mp4")
    words = [str(source), str(tmp_path / "out.mkv"), "--fps", "24000/1001", "--codec", "ffv1"]
    assert main(["interpolate", *words, "--model", "blend", "--memory", "1"]) == 0
    assert facts(tmp_path / "out.mkv").codec == "ffv1"
    assert "blend, ffv1" in capsys.readouterr().out


@pytest.mark.slow
def test_a_model_that_upscales_gives_a_larger_video(tmp_path):
    source, model = make(tmp_path / "in.mp4"), "zooming_slow_mo/small"
    words = [str(source), str(tmp_path / "out.mp4"), "--model", model, "--frames", "3"]
    assert main(["interpolate", *words]) == 0
    before, after = facts(source), facts(tmp_path / "out.mp4")
    assert after.size == tuple(4 * side for side in before.size)
    assert len(after.times) == 2 * len(before.times) - 1
    assert after.rate == 2 * before.rate


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no.mp4", "out.mp4"], "no.mp4 does not exist"),
        (["in.mp4", "in.mp4"], "is the source"),
        (["in.mp4", "out.xyz"], "a target must end in"),
        (["in.mp4", "out.mp4", "--multi", "0"], "multi must be"),
        (["in.mp4", "out.mp4", "--model", "nothing"], "nothing"),
        (["in.mp4", "out.mp4", "--model", "blend", "--frames", "3"], "option of blend 'frames'"),
    ],
)
def test_user_errors_are_one_line(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "in.mp4")
    assert main(["interpolate", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not list(tmp_path.glob("*out*"))


def test_a_dry_run_reports_and_writes_nothing(tmp_path, capsys):
    source = make(tmp_path / "in.mp4", audio="aac")
    words = [str(source), str(tmp_path / "out.gif"), "--fps", "50", "--model", "blend"]
    assert main(["interpolate", *words, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "30 -> 50 frames/s, 6 -> 10 frames" in shown
    assert "blend, gif: nothing computed or written (dry run)" in shown
    assert "audio #1 (aac) left out" in shown
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_json_output_is_one_object_per_line(tmp_path, capsys):
    source = make(tmp_path / "in.mp4")
    words = [str(source), str(tmp_path / "out.mp4"), "--model", "blend", "--json"]
    assert main(["interpolate", *words]) == 0
    *progress, report = map(json.loads, capsys.readouterr().out.splitlines())
    assert progress[-1]["event"] == "progress"
    assert (progress[-1]["done"], progress[-1]["expected"]) == (11, 11)
    assert (report["event"], report["frames_out"], report["rate_out"]) == ("report", 11, "60")
