"""Processing several videos with one command."""

import json

import pytest

from tests.video.clips import facts, make
from vfi_jax import weights
from vfi_jax.cli.__main__ import main


@pytest.fixture
def films(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    for name in ("a.mp4", "c.mkv"):
        make(tmp_path / "films" / name)
    (tmp_path / "films/b.mp4").write_text("no video")


def test_one_failure_does_not_stop_the_others_and_sets_the_exit_code(films, tmp_path, capsys):
    words = ["interpolate", "films", "--output-dir", "out", "--model", "blend", "--stats"]
    assert main(words) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "c.mkv"]
    assert facts(tmp_path / "out/c.mkv").rate == 60
    captured = capsys.readouterr()
    assert "vfi-jax: films/b.mp4: b.mp4 cannot be read as a video" in captured.err
    lines = captured.out.splitlines()
    assert sum("decode busy" in line for line in lines) == 2
    rows = {line.split()[0]: line for line in lines[-4:-1]}
    assert "done" in rows["a.mp4"]
    assert "failed: b.mp4 cannot be read" in rows["b.mp4"]
    assert lines[-1] == "2 of 3 videos written, 1 failed"


def test_a_batch_without_failures_returns_0_and_a_json_summary(films, capsys):
    words = ["interpolate", "films/a*", "films/c.mkv", "--output-dir", "out", "--model", "blend"]
    assert main([*words, "--suffix", ".mkv", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["target"] for one in events if one["event"] == "report"] == [
        "out/a.mkv",
        "out/c.mkv",
    ]
    assert events[-1] == {"event": "summary", "done": 2, "failed": 0, "total": 2}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["films/a.mp4"], "give SOURCE TARGET, or several sources and --output-dir"),
        (["films/a.mp4", "b.mp4", "--suffix", ".mkv"], "--suffix is for --output-dir"),
        (["--output-dir", "out"], "give one or more sources"),
        (["films", "--output-dir", "films/a.mp4"], "--output-dir films/a.mp4 is a file"),
    ],
)
def test_user_errors_are_one_line(films, capsys, words, message):
    assert main(["interpolate", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["interpolate", "films/b.mp4", "out.mp4"], "cannot be read as a video"),
        (["interpolate", "films/a.mp4", "out.xyz"], "a target must end in"),
        (["interpolate", "films/a.mp4", "out.mp4", "--codec", "nope"], "codec 'nope'"),
        (["interpolate", "films/a.mp4", "out.mp4", "--multi", "0"], "multi must be a whole number"),
        (["blur", "films/a.mp4", "out.mp4", "--samples", "3"], "samples must be an even number"),
        (["smoothness", "films/b.mp4"], "cannot be read as a video"),
    ],
)
def test_arguments_are_checked_before_weights_are_downloaded(
    films, capsys, monkeypatch, words, message
):
    def obtain(*_, **__):
        raise AssertionError("weights were fetched")

    monkeypatch.setattr(weights, "obtain", obtain)
    assert main([*words, "--model", "rife/m"]) == 2
    assert message in capsys.readouterr().err
