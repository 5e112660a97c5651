"""Batch processing of videos: a report for each, then a summary table."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from vfi_jax.cli._progress import print_json

SOME_FAILED = 1  # exit code
PIPE_WIDTH = 200  # columns if the output is not a terminal


def run_batch(
    jobs: Sequence[Any],
    interpolate: Callable[[Any, str], Any],
    *,
    print_report: Callable[[Any], None],
    json: bool,
) -> int:
    """Run jobs in sequence and return the exit code.

    Args:
      jobs: jobs of `vfi_jax.video.batch`.
      interpolate: (job, title of its progress) -> report.
      print_report: prints a report.
      json: print failures and the summary as JSON lines.
    """
    from vfi_jax.video import batch

    numbers = {job: number for number, job in enumerate(jobs, 1)}
    outcomes = []
    try:
        for outcome in batch.run(
            jobs,
            lambda job: interpolate(job, f"{numbers[job]} of {len(jobs)}: {job.source.name}"),
        ):
            outcomes.append(outcome)
            if outcome.report is not None:
                print_report(outcome.report)
            elif json:
                print_json("failure", source=outcome.job.source, error=outcome.error)
            else:
                print(f"vfi-jax: {outcome.job.source}: {outcome.error}", file=sys.stderr)
    finally:  # also after Ctrl-C
        failed = sum(outcome.report is None for outcome in outcomes)
        if json:
            print_json("summary", done=len(outcomes) - failed, failed=failed, total=len(jobs))
        elif outcomes:
            _print_table(outcomes, failed, len(jobs))
    return SOME_FAILED if failed else 0


def _print_table(outcomes, failed, total):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("source", "target", "frames", "seconds", "frames/s"):
        table.add_column(title, justify="left" if title in ("source", "target") else "right")
    table.add_column("result")
    for outcome in outcomes:
        job, report = outcome.job, outcome.report
        names = Text(job.source.name), Text(str(job.target))
        if report is None:
            table.add_row(*names, "", "", "", Text(f"failed: {outcome.error}"))
        else:
            frames = str(report.frames_out or "?")
            facts = frames, f"{report.seconds:.1f}", f"{report.fps:.1f}"
            notes = len(report.warnings)
            noted = f"done, {notes} note{'s' if notes > 1 else ''}" if notes else "done"
            table.add_row(*names, *facts, noted)
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(table)
    rest = total - len(outcomes)
    stopped = f", {rest} not started" if rest else ""
    print(f"{len(outcomes) - failed} of {total} videos written, {failed} failed{stopped}")
