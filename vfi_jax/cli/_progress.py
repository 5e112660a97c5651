"""Progress display: a bar on a terminal, otherwise lines."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

SECONDS_BETWEEN_LINES = 5.0

Show = Callable[[int, int | None], None]


@contextlib.contextmanager
def progress_bar(title: str, unit: str = "frames") -> Iterator[Show]:
    """A bar on stderr with rate, elapsed and remaining time; if stderr is not a terminal, a line
    every few seconds.

    Args:
      title: description of the work.
      unit: name of the counted items.

    Yields:
      A function to call with (number done, number expected or None).
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:  # before rich 14 a disabled bar prints an empty line
        yield _lines(title, unit)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} " + f"{unit}/s"),
        TimeElapsedColumn(),
        TextColumn("elapsed,"),
        TimeRemainingColumn(),
        TextColumn("remaining"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None, rate="-")

        def show(done: int, expected: int | None) -> None:
            speed = progress.tasks[0].speed
            rate = f"{speed:.1f}" if speed else "-"
            total = max(done, expected) if expected else None
            progress.update(task, completed=done, total=total, rate=rate)

        yield show


def json_lines(event: str = "progress") -> Show:
    """A function that writes progress to stdout as JSON lines, a few per second at most.

    Args:
      event: value of the key "event".
    """
    clock = _Clock(seconds=0.5)

    def show(done: int, expected: int | None) -> None:
        if clock.due() or done == expected:
            print_json(event, **clock.facts(done, expected))

    return show


def print_json(event: str, **facts: Any) -> None:
    """Write one JSON object as a line to stdout."""
    print(json.dumps({"event": event, **facts}, default=str), flush=True)


def _lines(title, unit):
    clock = _Clock(SECONDS_BETWEEN_LINES)

    def show(done: int, expected: int | None) -> None:
        if not clock.due():
            return
        facts = clock.facts(done, expected)
        total = f" of {expected}" if expected else ""
        remaining = facts["remaining"]
        left = "" if remaining is None else f", {_clock_text(remaining)} remaining"
        print(
            f"{title}: {done}{total} {unit}, {facts['rate']:.1f} {unit}/s, "
            f"{_clock_text(facts['elapsed'])} elapsed{left}",
            file=sys.stderr,
            flush=True,
        )

    return show


class _Clock:
    """Decides when to write again, and computes rate and remaining time."""

    def __init__(self, seconds):
        self._seconds = seconds
        self._started = self._last = time.monotonic()

    def due(self):
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True

    def facts(self, done, expected):
        elapsed = time.monotonic() - self._started
        rate = done / elapsed if elapsed else 0.0
        remaining = max(expected - done, 0) / rate if expected and rate else None
        return {
            "done": done,
            "expected": expected,
            "rate": round(rate, 3),
            "elapsed": round(elapsed, 3),
            "remaining": None if remaining is None else round(remaining, 3),
        }


def _clock_text(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
