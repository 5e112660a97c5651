"""The `vfi-jax` command: finds subcommands by their files and reports user errors in one line.

A command is a module in this folder, imported only when it runs. It has a docstring (the first line
appears in the list of commands), a frozen dataclass `Args` (parsed by tyro) and `run(args)`, which
returns the exit code. An optional `check(args)` runs first, before missing weights are downloaded.
Heavy imports such as jax are inside `run`, so that `--help` is fast.
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
MODEL_OPTIONS = ("model", "network")  # options with comma-separated model names
ENDING = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
USAGE = """\
usage: vfi-jax COMMAND [OPTIONS]

Video frame interpolation in JAX.

commands:
{commands}

`vfi-jax COMMAND --help` lists the options of a command; `--version` prints the version;
`--debug`, or VFI_JAX_DEBUG=1, shows the traceback of an error;
`--no-cache` ignores programs compiled by earlier runs;
`--offline` disables downloads; by default, released weights are downloaded at first use.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit code.

    Args:
      arguments: arguments after `vfi-jax`; None: those of this process.
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
    """The first docstring line of each command by name, without importing them."""
    return {name: _summary(name) for name in lookup.modules(COMMANDS)}


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the process like Ctrl-C, so that no partial files remain.

    The exit code is 128 plus the signal's number, as in shells. An ignored signal, as under
    `nohup`, stays ignored.
    """

    def end(number, _):
        for one in caught:  # a closing terminal sends several; they must not interrupt the cleanup
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    known = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    here = threading.current_thread() is threading.main_thread()  # others may not
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
    from vfi_jax import arguments  # lazy: tyro takes 0.2 s and is not needed for the list above

    prog = f"vfi-jax {name}"
    args = arguments.parse(command.Args, rest, prog=prog, description=command.__doc__)
    if hasattr(command, "check"):
        command.check(args)
    _obtain(args, offline=offline)
    return command.run(args)


def _obtain(args, *, offline):
    """Download missing weights of the models of a command."""
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
