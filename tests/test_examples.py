"""The scripts of examples/ run, on tiny inputs and with models that compile quickly."""

import runpy
import sys

import pytest

from tests import support

SMALL = ["--size", "32", "48"]
RUNS = {
    "slow_motion.py": ([*SMALL, "--slow", "2", "--model", "blend"], "slow.mp4"),
    "inside_jit.py": ([*SMALL, "--model", "blend"], None),
    "optical_flow.py": ([*SMALL, "--network", "tween"], "flow.png"),
    "fine_tune.py": (["--size", "32", "--steps", "2"], "tuned/checkpoint.json"),
    "own_model.py": (["--size", "30", "41"], None),
}


def test_every_script_is_run_and_listed():
    scripts = {path.name for path in (support.ROOT / "examples").glob("*.py")}
    assert scripts == RUNS.keys()
    page = (support.ROOT / "examples/README.md").read_text()
    assert all(f"[{name}]({name})" in page for name in scripts)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_script_runs(name, tmp_path, monkeypatch, capsys):
    words, written = RUNS[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, *words])
    runpy.run_path(str(support.ROOT / "examples" / name), run_name="__main__")
    assert capsys.readouterr().out
    assert written is None or (tmp_path / written).is_file()
