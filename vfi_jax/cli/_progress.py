"""A progress bar for work that is counted."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(title: str, unit: str = "frames") -> Iterator[Callable[[int, int | None], None]]:
    """A bar on stderr with rate and time left; nothing where stderr is no terminal.

    Args:
      title: what is going on.
      unit: what is counted.

    Yields:
      Call it with (how many are done, how many are expected or None).
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
    if not console.is_terminal:  # before rich 14 a disabled bar still leaves an empty line
        yield lambda done, expected: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} " + f"{unit}/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None, rate="-")

        def show(done: int, expected: int | None) -> None:
            speed = progress.tasks[0].speed
            rate = f"{speed:.1f}" if speed else "-"
            total = max(done, expected) if expected else None
            progress.update(task, completed=done, total=total, rate=rate)

        yield show
