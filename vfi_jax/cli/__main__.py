"""The `vfi-jax` command: finds a command by its file and turns user errors into one line.

A command is a module of this folder, loaded only when it runs, with a docstring (its first line is
in the list), a frozen dataclass `Args` (read by tyro) and `run(args) -> int`, the exit code. Where
it has `check(args)`, that comes first, before missing weights are fetched. It imports jax and the
like inside `run`, so that `--help` is quick.
"""

import ast
import contextlib
import importlib.util
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

import vfi_jax
from vfi_jax import compile_cache, lookup
from vfi_jax.guard import USER_ERROR, guarded

COMMANDS = "vfi_jax.cli"
MODEL_OPTIONS = ("model", "network")  # options that name models, separated by commas
ENDING = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
USAGE = """\
usage: vfi-jax COMMAND [OPTIONS]

Video frame interpolation in JAX.

commands:
{commands}

`vfi-jax COMMAND --help` lists a command's options; `--version` prints the version;
`--debug`, or VFI_JAX_DEBUG=1, shows where an error came from;
`--no-cache` compiles anew instead of using programs kept from earlier runs;
`--offline` fetches no weights: by default, released ones with a direct link are at first use.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; returns the exit code.

    Args:
      arguments: what follows `vfi-jax`; None: those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug, cached = "--debug" in words, "--no-cache" not in words
    offline = "--offline" in words
    words = [word for word in words if word not in ("--debug", "--no-cache", "--offline")]
    if cached:
        compile_cache.switch_on()
    with _ended_by_signals():
        return guarded(lambda: _run(words, offline=offline), prog="vfi-jax", debug=debug)


def commands() -> dict[str, str]:
    """The first docstring line of each command, by name; none is imported."""
    return {name: _summary(name) for name in lookup.modules(COMMANDS)}


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the process as Ctrl-C does, so that nothing half-made is left.

    The exit code is 128 and the signal's number, as shells have it. A signal that is ignored, as
    `nohup` has it, stays so.
    """

    def end(number, _):
        for one in caught:  # a closing terminal sends several; cleaning up goes on
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    known = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    here = threading.current_thread() is threading.main_thread()  # no other may set handlers
    caught = [one for one in known if here and signal.getsignal(one) == signal.SIG_DFL]
    for one in caught:
        signal.signal(one, end)
    try:
        yield
    finally:
        for one in caught:
            signal.signal(one, signal.SIG_DFL)


def _run(words, *, offline):
    if not words or words[0] in ("-h", "--help"):
        lines = (f"  {name:<12} {summary}" for name, summary in commands().items())
        print(USAGE.format(commands="\n".join(lines)), end="")
        return 0 if words else USER_ERROR
    if words[0] == "--version":
        print(f"vfi-jax {vfi_jax.__version__}")
        return 0
    name, *rest = words
    command = lookup.module(COMMANDS, name, kind="command")
    import tyro  # 0.2 s, which the list of commands need not pay

    args = tyro.cli(command.Args, args=rest, prog=f"vfi-jax {name}", description=command.__doc__)
    if hasattr(command, "check"):
        command.check(args)
    _obtain(args, offline=offline)
    return command.run(args)


def _obtain(args, *, offline):
    """Fetches what the models of a command need and this machine lacks."""
    fields = [getattr(args, name, None) for name in MODEL_OPTIONS]
    names = [part.strip() for field in fields if field for part in field.split(",")]
    if not names or getattr(args, "weights", None):
        return
    from vfi_jax import weights
    from vfi_jax.cli._progress import progress_bar

    for name in names:
        with progress_bar("fetching", "bytes") as progress:
            weights.obtain(name, offline=offline, progress=progress, log=_note)


def _note(line):
    print(line, file=sys.stderr)


def _summary(name):
    spec = importlib.util.find_spec(f"{COMMANDS}.{name}")
    if spec is None or spec.origin is None:
        return ""
    with open(spec.origin, encoding="utf-8") as file:
        return (ast.get_docstring(ast.parse(file.read())) or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
