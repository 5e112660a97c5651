"""Reports user errors as one line and an exit code, for every command line."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

DEBUG = "VFI_JAX_DEBUG"  # environment variable: show tracebacks
USER_ERROR = 2
INTERRUPTED = 130  # 128 + SIGINT, as in shells
READER_GONE = 141  # 128 + SIGPIPE
EXTRAS = {  # the extra that installs each optional package
    "tensorflow_datasets": "train",
    "importlib_resources": "train",  # of tensorflow_datasets, which does not require it
    "array_record": "train",
    "grain": "train",
    "tensorboardX": "train",
    "apache_beam": "beam",
    "flatbuffers": "export",
    "gradio": "demo",
}


def guarded(action: Callable[[], int], *, prog: str, debug: bool = False) -> int:
    """Run `action` and return its exit code, or the exit code of its error.

    User errors (ValueError or OSError: a wrong value, a missing file) and missing packages of an
    extra are printed as `prog: error: ...`. Other exceptions are bugs and keep their traceback.

    Args:
      action: returns an exit code.
      prog: the program's name.
      debug: propagate every exception; also enabled by VFI_JAX_DEBUG.
    """
    try:
        code = action()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # As in `vfi-jax models | head`. Python would report another error on closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except (ValueError, OSError) as error:
        if debug or os.environ.get(DEBUG):
            raise
        print(f"{prog}: error: {_text(error)}", file=sys.stderr)
        return USER_ERROR
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        print(f"{prog}: error: {error.name} is not installed; {way_out(extra)}", file=sys.stderr)
        return USER_ERROR


def way_out(extra: str) -> str:
    """How to install an extra, for a checkout or an installed wheel."""
    checkout = Path(__file__).parents[1] / "pyproject.toml"
    if checkout.is_file():
        return f"in {checkout.parent}, run pip install -e '.[{extra}]'"
    return f"run pip install 'vfi-jax[{extra}]'"


def _text(error):
    """The message of an error; for one of the operating system, the file and what is wrong."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror[:1].lower()}{error.strerror[1:]}"
    return str(error) or type(error).__name__
