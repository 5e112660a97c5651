"""Benchmark reports: a table on the terminal, JSON on disk."""

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
from rich.table import Table

from vfi_jax.bench.measure import Bench, Row


def table(bench: Bench, rows: Sequence[Row], *, rival: str | None = None) -> Table:
    """A table of rows for `rich.print`, with the limits of the device as title.

    Args:
      bench: the bench that measured them.
      rows: rows in display order.
      rival: name of the implementation in the ratio column.
    """
    shown = Table(title=_machine(bench), title_justify="left", box=None, pad_edge=False)
    for title in ("what", "", "size", "type", "form"):
        shown.add_column(title, no_wrap=True)
    for title in ("ms", "GB/s", "GFLOP", "roofline", "peak MB", "temp MB", "compile s"):
        shown.add_column(title, justify="right", no_wrap=True)
    if rival:
        shown.add_column(f"/ {rival}", justify="right", no_wrap=True)
    for row in rows:
        ratio = [] if not rival else ["" if row.ratio is None else f"{row.ratio:.2f}"]
        shown.add_row(*_words(row), *_numbers(row), *ratio)
    return shown


def save(path: Path, bench: Bench, rows: Sequence[Row]) -> None:
    """Write the rows and the machine as JSON, atomically."""
    save_rows(path, machine(bench), rows)


def save_rows(path: Path, machine: dict, rows: Sequence[Any]) -> None:
    """Write dataclasses and the machine that they were measured on as JSON."""
    document = {"machine": machine, "rows": [dataclasses.asdict(row) for row in rows]}
    whole = path.with_name(f".{path.name}.part")
    whole.write_text(json.dumps(document, indent=2) + "\n")
    whole.replace(path)


def machine(bench: Bench) -> dict:
    """The device and its limits, as a JSON object."""
    return {
        "device": bench.device,
        "platform": jax.default_backend(),
        "cores": _cores(),
        "jax": jax.__version__,
        "bandwidth": bench.bandwidth,
        "arithmetic": bench.arithmetic,
        "repeats": bench.repeats,
    }


def _machine(bench):
    cores = f", {_cores()} cores" if jax.default_backend() == "cpu" else ""
    return (
        f"{bench.device}{cores}, jax {jax.__version__}: copies {bench.bandwidth / 1e9:.1f} GB/s, "
        f"multiplies {bench.arithmetic / 1e9:.0f} GFLOP/s in float32"
    )


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _words(row):
    height, width = row.size
    name = f"{row.name} + gradients" if row.gradients else row.name
    return name, row.detail, f"{width}x{height}", row.dtype, row.backend


def _numbers(row):
    return (
        f"{row.milliseconds:.2f}",
        f"{row.gigabytes_per_second:.1f}",
        f"{row.gigaflops:.2f}",
        f"{row.roofline:.0%}",
        f"{row.peak_megabytes:.0f}",
        f"{row.temporary_megabytes:.0f}",
        f"{row.compile_seconds:.1f}",
    )
