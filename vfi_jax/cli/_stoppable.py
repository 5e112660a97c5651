"""Work that a signal ends within seconds, also while XLA compiles.

Python handles signals in its main thread, between two steps of its own; compiling is one step that
may take minutes. So the work runs in another thread while the main one waits.
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from vfi_jax.guard import INTERRUPTED

T = TypeVar("T")
GRACE = 1.5  # seconds in which the work may end by itself
POLL = 0.1  # seconds; on Windows a thread that waits for another takes no signal


class Stopped(BaseException):
    """Raised inside the work to end it."""


class Stoppable:
    """Runs work in a thread; a signal to the main thread ends it.

    Args:
      clean_up: called where the work does not end in time, before the process exits at once.
    """

    def __init__(self, clean_up: Callable[[], None]):
        self._clean_up = clean_up
        self._stop = threading.Event()

    def check(self) -> None:
        """To be called by the work now and then.

        Raises:
          Stopped: a signal has come.
        """
        if self._stop.is_set():
            raise Stopped

    def __call__(self, work: Callable[[], T]) -> T:
        """The result of `work()`; what it raises is raised here."""
        result: list[T] = []
        failure: list[BaseException] = []

        def run():
            try:
                result.append(work())
            except BaseException as error:  # noqa: BLE001  # raised again in the main thread
                failure.append(error)
            finally:
                ended.set()

        # Not Thread.join: where a signal interrupts it, Python 3.11 takes the thread for ended.
        ended = threading.Event()
        threading.Thread(target=run, name="vfi-jax work", daemon=True).start()
        try:
            while not ended.wait(POLL):
                pass
        except BaseException as signal:
            self._stop.set()
            if not ended.wait(GRACE):
                self._clean_up()
                _exit(signal)
            raise
        if failure:
            raise failure[0]
        return result[0]


def _exit(signal):
    """End the process at once, with the exit code that the signal stands for."""
    sys.stdout.flush()
    sys.stderr.flush()
    code = signal.code if isinstance(signal, SystemExit) else INTERRUPTED
    os._exit(code if isinstance(code, int) else 1)
