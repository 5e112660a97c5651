"""Error handling of command lines."""

import subprocess
import sys

import pytest

from tests.support import ROOT
from vfi_jax import guard


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (ValueError("fps must be above 0, got -1"), 2, "toy: error: fps must be above 0, got -1\n"),
        (FileNotFoundError("there is no a.mp4"), 2, "toy: error: there is no a.mp4\n"),
        (PermissionError(13, "Permission denied", "a"), 2, "toy: error: a: permission denied\n"),
        (ValueError(), 2, "toy: error: ValueError\n"),
        (ModuleNotFoundError(name="grain"), 2, "toy: error: grain is not installed; in "),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=repr,
)
def test_user_errors_are_one_line(error, code, shown, capsys, monkeypatch):
    monkeypatch.delenv(guard.DEBUG, raising=False)

    def action():
        raise error

    assert guard.guarded(action, prog="toy") == code
    assert capsys.readouterr().err.startswith(shown)


def test_bugs_and_debugging_keep_the_traceback(monkeypatch):
    def bug():
        raise TypeError

    def mistake():
        raise ValueError("wrong")

    with pytest.raises(TypeError):
        guard.guarded(bug, prog="toy")
    with pytest.raises(ValueError, match="wrong"):
        guard.guarded(mistake, prog="toy", debug=True)
    monkeypatch.setenv(guard.DEBUG, "1")
    with pytest.raises(ValueError, match="wrong"):
        guard.guarded(mistake, prog="toy")


def test_an_extra_is_installed_in_the_checkout_or_by_the_name_of_the_package(tmp_path, monkeypatch):
    assert guard.way_out("train") == f"in {ROOT}, run pip install -e '.[train]'"
    monkeypatch.setattr(guard, "__file__", str(tmp_path / "site-packages/vfi_jax/guard.py"))
    assert guard.way_out("train") == "run pip install 'vfi-jax[train]'"


def test_a_closed_pipe_is_not_an_error():
    code = (
        "from vfi_jax.guard import guarded; import sys;"
        "sys.exit(guarded(lambda: print('line\\n' * 100_000) or 0, prog='toy'))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == guard.READER_GONE
