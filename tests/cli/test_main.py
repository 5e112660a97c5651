"""The command line lists commands without delay and reports user errors in one line."""

import os
import signal
import subprocess
import sys
import time

import pytest

from vfi_jax import lookup
from vfi_jax.cli import __main__ as cli


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=60,
    )


def test_help_lists_every_command_with_its_first_line(capsys):
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in lookup.modules(cli.COMMANDS):
        summary = lookup.module(cli.COMMANDS, name, kind="command").__doc__.partition("\n")[0]
        assert f"  {name:<12} {summary}\n" in shown


def test_help_is_fast_and_imports_no_heavy_package():
    code = (
        "import sys; from vfi_jax.cli.__main__ import main; main(['--help']);"
        "print(sorted({'jax', 'flax', 'numpy', 'tyro', 'rich', 'av'} & set(sys.modules)))"
    )
    started = time.perf_counter()
    assert run_python(code).stdout.endswith("[]\n")
    # 0.1 s on an idle machine; importing jax on a busy machine would take seconds.
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("name", lookup.modules(cli.COMMANDS))
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([name, "--help"])
    assert caught.value.code == 0
    assert f"usage: vfi-jax {name}" in capsys.readouterr().out


def test_no_command_imports_jax_before_it_runs():
    names = ", ".join(f"'{name}'" for name in lookup.modules(cli.COMMANDS))
    code = (
        "import importlib, sys;"
        f"[importlib.import_module('vfi_jax.cli.' + name) for name in [{names}]];"
        "assert 'jax' not in sys.modules"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("vfi-jax 0.")


def test_an_unknown_command_is_a_user_error(capsys):
    assert cli.main(["modles"]) == 2
    shown = capsys.readouterr().err
    assert shown == "vfi-jax: error: unknown command 'modles'; did you mean models?\n"
    with pytest.raises(ValueError, match="unknown command"):
        cli.main(["modles", "--debug"])


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_no_partial_files(tmp_path, name):
    code = (
        "import signal, sys, time; from vfi_jax.video import targets;"
        "from pathlib import Path; from vfi_jax.cli import __main__ as cli\n"
        "def work(words, **options):\n"
        "    with targets.staged(Path('out.mp4')) as staged:\n"
        "        staged.touch(); print('begun', flush=True); time.sleep(60)\n"
        # If these tests run under nohup, the signal is ignored.
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "cli._run = work; sys.exit(cli.main([]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=tmp_path
    ) as process:
        assert process.stdout.readline() == b"begun\n"
        assert [path.name for path in tmp_path.rglob("*.mp4")] == ["result.mp4"]
        process.send_signal(getattr(signal, name))
        assert process.wait(timeout=60) == 128 + getattr(signal, name)
    assert not list(tmp_path.iterdir())


def test_signal_handlers_are_restored_and_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with cli._ended_by_signals():
            seen = [signal.getsignal(one) for one in (signal.SIGHUP, signal.SIGTERM)]
        assert seen[0] == signal.SIG_IGN
        assert callable(seen[1])
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
