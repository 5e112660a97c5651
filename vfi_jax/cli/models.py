"""List all models with their contracts, papers, licences and installed weights."""

import contextlib
import dataclasses
import hashlib
import json
import sys
from pathlib import Path

QUICK_START = "no download: the default, included in the package"
PIPE_WIDTH = 200  # columns if the output is not a terminal


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax models`."""

    json: bool = False
    """Print JSON instead of a table."""


def run(args: Args) -> int:
    """Print systems, then the networks that they use."""
    from vfi_jax import registry

    systems, networks = registry.list_models(), registry.list_networks()
    counts = _parameters([*systems, *networks])
    rows = [_row(name, counts[name], is_system=True) for name in systems]
    rows += [_row(name, counts[name], is_system=False) for name in networks]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        _print_table(rows)
    return 0


def _row(name, parameters, *, is_system):
    from vfi_jax import registry, weights
    from vfi_jax.weights import store

    source, folder = weights.source(name), weights.at_hand(name)
    contract = registry.create(name).contract if is_system else None
    return {
        "name": name,
        "kind": "system" if is_system else "network",
        "contract": contract and dataclasses.asdict(contract),
        "parameters": parameters,
        "paper": source.paper and f"arXiv:{source.paper}",
        "best_for": QUICK_START if name == weights.DEFAULT else source.best_for,
        "licence": store.describe(folder)["licence"] if folder else source.licence,
        "weights": str(folder) if folder else None,
        "advice": "" if folder or not parameters else weights.advice(name),
    }


def _parameters(names):
    """Number of parameters of each model.

    Tracing all models takes a minute, so the numbers are cached in the user's folder until the code
    of a model changes.
    """
    from vfi_jax import registry
    from vfi_jax.weights import places

    file, code = places.home() / "parameters.json", _fingerprint()
    with contextlib.suppress(OSError, ValueError):  # no cache file, or a truncated one
        kept = json.loads(file.read_text())
        if kept["code"] == code and set(names) <= set(kept["counts"]):
            return kept["counts"]
    print("counting parameters: about a minute, only the first time", file=sys.stderr)
    models = {name: registry.create(name) for name in names}
    counts = {
        name: registry.count_parameters(registry.abstract_variables(model))
        for name, model in models.items()
    }
    with contextlib.suppress(OSError):  # without a writable home there is no cache
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"code": code, "counts": counts}))
    return counts


def _fingerprint():
    package = Path(__file__).parents[1]
    folders = ("models", "networks", "layers")
    files = sorted(file for folder in folders for file in package.glob(f"{folder}/*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _print_table(rows):
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    table = Table(box=None, pad_edge=False)
    for title in ("model", "answers", "parameters", "arXiv", "weights"):
        justify = "right" if title == "parameters" else "left"
        table.add_column(title, justify=justify, no_wrap=True)
    table.add_column("licence of the weights")
    for row in rows:
        paper = row["paper"].removeprefix("arXiv:")
        answers, count = _answers(row["contract"]), f"{row['parameters']:,}"
        table.add_row(row["name"], answers, count, paper, _state(row), row["licence"])
    console.print(table)
    console.print("\nbest for")
    for row in rows:
        if row["best_for"]:
            console.print(f"  {row['best_for']}: {row['name']}", highlight=False)
    console.print(
        "\nMissing weights with a direct link are downloaded at first use; "
        "install others with `vfi-jax convert MODEL [FILE]`."
    )


def _answers(contract):
    """A contract in a few words."""
    if contract is None:
        return "(network)"
    times, scale = contract["times"], contract["scale"]
    if times is None:
        when = "any time"
    elif len(times) > 3:
        when = f"every {times[1] - times[0]:g}"
    else:
        when = ", ".join(f"{time:g}" for time in times)
    return f"{contract['frames']} frames: {when}" + (f", {scale}x" if scale > 1 else "")


def _state(row):
    if row["weights"]:
        return "here"
    return "missing" if row["parameters"] else "none needed"
