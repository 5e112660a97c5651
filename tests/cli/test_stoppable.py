"""Signals end work within seconds, even during one long step."""

import signal
import subprocess
import sys
import time

import pytest

from tests.video.clips import frames, make
from vfi_jax.cli._stoppable import Stoppable, Stopped

# Like XLA's compilation, sleep does not hold the GIL.
PROGRAM = """
import signal, sys, time
from vfi_jax import Interpolator
from vfi_jax.cli.__main__ import main

def stream(self, frames, times):
    print("compiling", flush=True)
    time.sleep(60)
    yield

Interpolator.stream = stream
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in the background
sys.exit(main(["interpolate", "in.mp4", "out.mp4", "--model", "blend"]))
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_run_during_compilation(tmp_path, name):
    make(tmp_path / "in.mp4")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        assert process.stdout.readline() == "compiling\n"
        started = time.monotonic()
        process.send_signal(getattr(signal, name))
        assert process.wait(timeout=60) == 128 + getattr(signal, name)
        assert time.monotonic() - started < 30  # 2 on an idle machine
        assert "stopped after 0 frames; out.mp4 is not written" in process.stderr.read()
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_work_ends_at_its_next_check_and_cleans_up():
    steps = []

    def work():
        try:
            while True:
                stoppable.check()
                steps.append(time.sleep(0.01))
        except Stopped:
            steps.append("cleaned up")
            raise

    stoppable = Stoppable(lambda: steps.append("abandoned"))
    timer = signal.setitimer(signal.ITIMER_REAL, 0.1)
    assert timer == (0, 0)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            stoppable(work)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert steps[-1] == "cleaned up"


def test_results_and_errors_are_passed_through():
    assert Stoppable(list)(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        Stoppable(list)(lambda: 1 // 0)


def test_progress_is_printed_if_stderr_is_not_a_terminal(tmp_path, capsys, monkeypatch):
    from vfi_jax.cli import _progress
    from vfi_jax.cli.__main__ import main

    monkeypatch.setattr(_progress, "SECONDS_BETWEEN_LINES", 0.0)
    source = make(tmp_path / "in.mp4", frames(3))
    assert main(["interpolate", str(source), str(tmp_path / "out.mp4"), "-m", "blend"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "vfi-jax: compiling blend for 48x32"
    assert lines[1].startswith("interpolating: 1 of 5 frames, ")
    assert lines[1].endswith(" remaining")
    assert "elapsed" in lines[1]
