"""The `vfi-jax` command: finds a command by its file and turns user errors into one line.

A command is a module of this folder, loaded only when it runs, with a docstring (its first line is
in the list), a frozen dataclass `Args` (read by tyro) and `run(args) -> int`, the exit code. It
imports jax and the like inside `run`, so that `--help` is quick.
"""

import ast
import contextlib
import importlib.util
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence

import vfi_jax
from vfi_jax import lookup

COMMANDS = "vfi_jax.cli"
DEBUG = "VFI_JAX_DEBUG"  # environment variable: show tracebacks
USER_ERROR = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
ENDING = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
READER_GONE = 141  # 128 + SIGPIPE
EXTRAS = {  # what each optional package comes with
    "tensorflow_datasets": "train",
    "array_record": "train",
    "grain": "train",
    "tensorboardX": "train",
    "apache_beam": "beam",
    "flatbuffers": "export",
    "gradio": "demo",
}

USAGE = """\
usage: vfi-jax COMMAND [OPTIONS]

Video frame interpolation in JAX.

commands:
{commands}

`vfi-jax COMMAND --help` lists a command's options; `--version` prints the version;
`--debug`, or VFI_JAX_DEBUG=1, shows where an error came from.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; returns the exit code.

    Args:
      arguments: what follows `vfi-jax`; None: those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    with _ended_by_signals():
        return guarded(lambda: _run(words), prog="vfi-jax", debug=debug)


def guarded(action: Callable[[], int], *, prog: str, debug: bool = False) -> int:
    """Runs `action` and returns its exit code, or that of what stopped it.

    What a user can mend (a ValueError or an OSError: a wrong value, a file that is not there) is
    printed as `prog: error: ...`, and so is a package of an extra that is not installed; other
    exceptions are bugs and keep their traceback.

    Args:
      action: gives an exit code.
      prog: the program's name.
      debug: let every exception through; also where VFI_JAX_DEBUG is set.
    """
    try:
        code = action()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # As in `vfi-jax models | head`. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except (ValueError, OSError) as error:
        if debug or os.environ.get(DEBUG):
            raise
        print(f"{prog}: error: {str(error) or type(error).__name__}", file=sys.stderr)
        return USER_ERROR
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        way = f"it comes with the extra {extra}: pip install '.[{extra}]' in a checkout"
        print(f"{prog}: error: {error.name} is not installed; {way}", file=sys.stderr)
        return USER_ERROR


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


def _run(words):
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
    return command.run(args)


def _summary(name):
    spec = importlib.util.find_spec(f"{COMMANDS}.{name}")
    if spec is None or spec.origin is None:
        return ""
    with open(spec.origin, encoding="utf-8") as file:
        return (ast.get_docstring(ast.parse(file.read())) or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
