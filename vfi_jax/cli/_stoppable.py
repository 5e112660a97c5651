"""Work that a signal ends within seconds, even during XLA compilation.

Python handles signals in its main thread between bytecode instructions; a compilation is one
instruction that may take minutes. The work therefore runs in another thread while the main thread
waits.
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from vfi_jax.guard import INTERRUPTED

T = TypeVar("T")
GRACE = 1.5  # seconds for the work to end by itself
POLL = 0.1  # seconds; on Windows a waiting thread does not receive signals


class Stopped(BaseException):
    """Raised inside the work to end it."""


class Stoppable:
    """Runs work in a thread; a signal to the main thread ends it.

    Args:
      clean_up: called before the process exits if the work does not end in time.
    """

    def __init__(self, clean_up: Callable[[], None]):
        self._clean_up = clean_up
        self._stop = threading.Event()

    def check(self) -> None:
        """Check for a signal; the work must call it regularly.

        Raises:
          Stopped: a signal was received.
        """
        if self._stop.is_set():
            raise Stopped

    def __call__(self, work: Callable[[], T]) -> T:
        """The result of `work()`; its exceptions are re-raised."""
        result: list[T] = []
        failure: list[BaseException] = []

        def run():
            try:
                result.append(work())
            except BaseException as error:  # noqa: BLE001  # raised again in the main thread
                failure.append(error)
            finally:
                ended.set()

        # Not Thread.join: if a signal interrupts it, Python 3.11 regards the thread as ended.
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
    """Exit immediately, with the exit code of the signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    code = signal.code if isinstance(signal, SystemExit) else INTERRUPTED
    os._exit(code if isinstance(code, int) else 1)
