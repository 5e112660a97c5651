"""Which videos a user means, and where each goes."""

import itertools
import time
from pathlib import Path

import pytest

from vfi_jax.video import batch, write_frames
from vfi_jax.video.stages import DECODE, ENCODE, WAITING, Stages

from .clips import frames


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Files of a project; their content does not matter, but for images."""
    monkeypatch.chdir(tmp_path)
    for name in ("films/b2.mp4", "films/b10.mkv", "films/.b.mp4", "films/notes.txt", "more/c.mov"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    write_frames("stills", frames(2))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["more/c.mov", "films"], ["more/c.mov", "films/b2.mp4", "films/b10.mkv"]),
        (["*/*.m[pk]?"], ["films/b2.mp4", "films/b10.mkv"]),
        (["films", "films/b2.mp4"], ["films/b2.mp4", "films/b10.mkv"]),
        (["stills"], ["stills"]),
    ],
)
def test_files_folders_and_patterns_name_videos(tree, words, found):
    assert batch.find_sources(words) == [Path(name) for name in found]


def test_a_word_that_names_nothing_is_an_error(tree):
    with pytest.raises(ValueError, match=r"source \*\.avi: no such file or folder"):
        batch.find_sources(["films", "*.avi"])


def test_targets_have_the_names_of_the_sources():
    sources = [Path(name) for name in ("a.mp4", "b.flv", "stills.d")]
    targets = [job.target for job in batch.plan(sources, Path("out"))]
    assert targets == [Path("out/a.mp4"), Path("out/b.mp4"), Path("out/stills.mp4")]
    assert batch.plan(sources[:1], Path("out"), suffix=".mkv")[0].target == Path("out/a.mkv")
    with pytest.raises(ValueError, match=r"x/a.mp4 and y/a.mp4 would both be written to out/a.mp4"):
        batch.plan([Path("x/a.mp4"), Path("y/a.mp4")], Path("out"))
    with pytest.raises(ValueError, match=r"suffix must be one of .*, got 'mkv'"):
        batch.plan(sources, Path("out"), suffix="mkv")


def test_shares_are_of_the_time_since_the_beginning(monkeypatch):
    clock = itertools.count()  # a second between two looks at the clock
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    stages = Stages()
    stages.call(DECODE, int)
    stages.begin()  # at 3
    assert list(stages.items(DECODE, "ab")) == ["a", "b"]  # three calls of a second
    stages.call(ENCODE, int)
    stages.call(WAITING, int)
    shares = stages.shares()  # at 14
    assert shares == {"decode": 3 / 11, "compute": 10 / 11, "encode": 1 / 11}
