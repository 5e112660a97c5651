"""`vfi-jax bench accelerator` and `vfi-jax bench estimates`: JSON and a Markdown page."""

import sys
from pathlib import Path
from typing import Any


def accelerator(args: Any) -> int:
    """Measure all systems on this device; both files are complete after every row."""
    from rich.console import Console

    from vfi_jax.bench import accelerator, pages, report
    from vfi_jax.bench.measure import Bench

    sizes = _sizes(args) or ((720, 1280), (1080, 1920))
    chosen = accelerator.settings(args.names, sizes=sizes, batches=args.batch or (1, 8))
    machine = Bench(repeats=args.repeats)
    console, rows = Console(file=sys.stderr), []
    with console.status("") as status:
        found = accelerator.measure(machine, chosen, seconds=args.seconds, workers=args.workers)
        for row in found:
            rows.append(row)
            report.save_rows(args.out, report.machine(machine), rows)
            _page(args.out).write_text(pages.accelerator_page(machine, rows))
            status.update(f"{len(rows)} of {len(chosen)} rows, last {row.setting.name}")
    print(f"{len(rows)} of {len(chosen)} rows in {args.out} and {_page(args.out)}")
    return 0


def estimates(args: Any) -> int:
    """Compute the cost of systems, and the minimum run time on accelerators from data sheets."""
    import jax

    from vfi_jax import lookup, registry
    from vfi_jax.bench import pages, report
    from vfi_jax.bench.estimates import Estimate, estimates

    names = args.names or lookup.modules(registry.MODELS)
    rows: list[Estimate] = []
    for size in _sizes(args) or ((720, 1280),):
        for row in estimates(names, size=size):
            rows.append(row)
            report.save_rows(args.out, {"jax": jax.__version__}, rows)
    page = "".join(
        pages.estimates_page([row for row in rows if row.size == size])
        for size in dict.fromkeys(row.size for row in rows)
    )
    _page(args.out).write_text(page)
    print(page, end="")
    print(f"written to {args.out} and {_page(args.out)}")
    return 0


def _sizes(args):
    from vfi_jax.cli._size import parse_size

    return tuple(map(parse_size, args.size))


def _page(out: Path) -> Path:
    return out.with_suffix(".md")
