"""Markdown tables of measurements and estimates, for docs and reports."""

from collections.abc import Iterable, Sequence

import jax

from vfi_jax.bench.accelerator import Measured
from vfi_jax.bench.estimates import KINDS, Estimate
from vfi_jax.bench.measure import Bench
from vfi_jax.devices import peaks


def markdown(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers, aligned right."""
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def accelerator_page(bench: Bench, rows: Sequence[Measured]) -> str:
    """A page of measurements: the machine, then a table for each kind of run."""
    limits = bench.peaks
    sheet = peaks(bench.device)
    page = (
        f"# Speed on {bench.device}\n\n"
        f"jax {jax.__version__}. Measured limits of this device: copies "
        f"{limits.bandwidth / 1e9:.3g} GB/s; matrix products {limits.float32 / 1e12:.3g} TFLOP/s "
        f"in float32 (highest), {limits.fast / 1e12:.3g} (default), {limits.bfloat16 / 1e12:.3g} "
        "in bfloat16."
    )
    if sheet:
        page += (
            f" Data sheet of the {sheet.name}: {sheet.bandwidth / 1e9:.0f} GB/s, "
            f"{sheet.float32 / 1e12:.0f}, {sheet.fast / 1e12:.0f} and "
            f"{sheet.bfloat16 / 1e12:.0f} TFLOP/s."
        )
    page += (
        "\n\nMedian times with all parameters zero. FLOPs and bytes count only convolutions and "
        "matrix products, so they are lower bounds. Roofline: minimum time by the measured limits "
        "/ measured time.\n"
    )
    kinds = dict.fromkeys((row.setting.training, row.setting.size) for row in rows)
    titles = (
        "system", "precision", "batch", "ms", "frames/s", "TFLOP/s", "GB/s", "roofline",
        "peak MB", "compile s",
    )  # fmt: skip
    for training, (height, width) in kinds:
        chosen = [
            row
            for row in rows
            if (row.setting.training, row.setting.size) == (training, (height, width))
        ]
        page += f"\n## {'Training step' if training else 'Inference'}, {width}x{height}\n\n"
        page += markdown(titles, map(_cells, chosen))
    return page


def estimates_page(rows: Sequence[Estimate]) -> str:
    """Tables of estimates, one per data type, with a row per system."""
    kinds = [(name, kind) for name, kinds in KINDS.items() for kind in kinds]
    devices = [device.name for _, kind in kinds if (device := peaks(kind))]
    titles = ["system", "GFLOP", "GB", "lines (cuda)", "lines (tpu)", *devices]
    page = ""
    for dtype in dict.fromkeys(row.dtype for row in rows):
        found: dict[str, dict[str, Estimate]] = {}
        for row in rows:
            if row.dtype == dtype:
                found.setdefault(row.name, {})[row.platform] = row
        height, width = rows[0].size
        page += f"\n{dtype}, {width}x{height}, one window, minimum ms:\n\n"
        page += markdown(titles, (_estimate_cells(both) for both in found.values()))
    return page


def _cells(row):
    setting = row.setting
    head = [setting.name, setting.precision, str(setting.batch)]
    if row.error:
        return [*head, row.error, *[""] * 6]
    return [
        *head,
        f"{row.milliseconds:.2f}",
        f"{row.frames_per_second:.1f}",
        f"{row.teraflops:.3g}",
        f"{row.gigabytes_per_second:.3g}",
        f"{row.roofline:.0%}",
        f"{row.peak_megabytes:.0f}",
        f"{row.compile_seconds:.1f}",
    ]


def _estimate_cells(both):
    cuda = both["cuda"]
    times = [f"{ms:.2f}" for platform in KINDS for ms in both[platform].milliseconds.values()]
    needs = [f"{cuda.gigaflops:.0f}", f"{cuda.gigabytes:.1f}"]
    return [cuda.name, *needs, *[str(both[platform].lines) for platform in KINDS], *times]
