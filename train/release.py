"""`python -m train.release RUN`: a finished run's weights into the package, with a model card.

`vfi-jax evaluate ... --markdown CARD` then adds scores to the card.
"""

import dataclasses
import json
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import tyro
from jax import lax

from train.run import RECORD
from vfi_jax import registry, weights
from vfi_jax.cli.__main__ import guarded
from vfi_jax.evaluation import markdown
from vfi_jax.weights.places import packaged_folder

LICENCE = "Apache-2.0"
ROWS = 12  # of the curve
EXPONENT, SIGNIFICANT = 5, 11  # bits of a float16
CAVEAT = """\
A licence is the one of the repository as a whole, which does not always cover clips of third
parties in it. The clips were trained on; none of them is distributed here."""
RENDERED = "Procedural scenes, rendered by vfi_jax itself."


@dataclasses.dataclass(frozen=True)
class Options:
    """Store a finished run's weights in the package as float16, and write their model card."""

    run: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""

    bits: int = SIGNIFICANT
    """Significant bits to keep of every float16; without the last two a file is a tenth smaller."""


def release(run: Path, bits: int = SIGNIFICANT) -> Path:
    """Stores the weights of a finished run and writes their card.

    Args:
      run: folder of the run.
      bits: significant bits kept of every float16, 2 to 11.

    Returns:
      The card's file.

    Raises:
      ValueError: the folder holds no finished run, or so many bits cannot be kept.
    """
    if not 2 <= bits <= SIGNIFICANT:
        raise ValueError(f"bits must be 2 to {SIGNIFICANT}, as a float16 has, not {bits}")
    if not (run / RECORD).is_file() or not (run / "weights").is_dir():
        raise ValueError(f"{run} must hold a finished run, with {RECORD} and weights/ in it")
    record = json.loads((run / RECORD).read_text())
    name = record["recipe"]["model"]
    _, variables = weights.load(run / "weights")
    folder = packaged_folder(name)
    lines = (run / "metrics.jsonl").read_text().splitlines()
    metrics = [json.loads(line) for line in lines]
    text = _card(name, registry.count_parameters(variables), bits, record, metrics)
    weights.save(
        folder,
        name,
        jax.tree.map(lambda array: _half(array, bits), variables),
        licence=LICENCE,
        source="trained by this project; the model card lies beside this folder",
    )
    card = folder.with_suffix(".md")
    card.write_text(text)
    return card


def _half(array, bits):
    """As float16, rounded to that many significant bits."""
    return lax.reduce_precision(jnp.asarray(array, jnp.float16), EXPONENT, bits - 1)


def _card(
    name: str, parameters: int, bits: int, record: dict[str, Any], metrics: list[dict]
) -> str:
    starts = [record, *record.get("resumed", [])]
    commands = "\n".join(_command(start["command"]) for start in starts)
    train = [line for line in metrics if line["kind"] == "train"]
    rounded = f" rounded to {bits} significant bits" if bits < SIGNIFICANT else ""
    parts = [
        f"# {name}",
        f"{parameters:,} parameters as float16{rounded}, trained by this project; {LICENCE}.",
        f"## Training\n\n```\n{commands}\n```",
        "\n".join(f"- {fact}: {text}" for fact, text in _facts(starts, train).items()),
        "Mean PSNR of held-out windows, in dB, as it went:",
        _curve([line for line in metrics if line["kind"] == "eval"]),
        "## Data",
        *_data(record["options"], starts[-1]["recipe"]["data"]),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(starts: list[dict], train: list[dict]) -> dict[str, str]:
    last = starts[-1]
    recipe, devices = last["recipe"], last["devices"]
    (height, width), optimizer = recipe["crop"], recipe["optimizer"]
    commits = dict.fromkeys(start["commit"] for start in starts)
    before = starts[0]["options"]["start_from"]
    return {
        "started from": f"{before} of the first commit below" if before else "fresh parameters",
        "steps": f"{recipe['steps']:,} of {recipe['batch']} crops of {height}x{width} pixels",
        "optimiser": f"{optimizer['rule']}, learning rate up to {optimizer['learning_rate']}",
        "stored": f"the parameters' moving average, decay {recipe['ema']}",
        "hardware": f"{len(devices)} x {devices[0]}, {_duration(train)}",
        "software": ", ".join(f"{package} {v}" for package, v in last["packages"].items() if v),
        "commit": ", then ".join(map(str, commits)),
    }


def _command(words: list[str]) -> str:
    """As it was called, but for where this machine keeps its data and runs."""
    shown = shlex.join(words)
    for option, name in (("--data-dir", "DATA"), ("--workdir", "DIR")):
        shown = re.sub(rf"({option}[ =])('[^']*'|\S+)", rf"\1{name}", shown)
    return shown


def _duration(train: list[dict]) -> str:
    """What the steps took, without those whose line had nothing to compare with."""
    steps = [0, *(line["step"] for line in train)]
    rates = [line["steps_per_second"] for line in train]
    pairs = zip(steps, steps[1:], rates, strict=False)
    minutes = sum((end - start) / rate for start, end, rate in pairs if rate) / 60
    return f"{minutes / 60:.1f} hours" if minutes >= 60 else f"{minutes:.1f} minutes"


def _curve(evaluations: list[dict]) -> str:
    if not evaluations:
        return "Not measured."
    every = -(-len(evaluations) // ROWS)
    rows = [(f"{line['step']:,}", f"{line['psnr']:.2f}") for line in evaluations[::-every][::-1]]
    return _table(("step", "PSNR"), rows)


def _data(options: dict, names: list[str]) -> list[str]:
    parts = []
    if set(names) - {"video_folder"}:
        parts.append(RENDERED)
    if "video_folder" in names:
        index = Path(options["data_dir"]) / "index.json"
        parts += [CAVEAT, _table(("clip", "segments", "source", "licence"), _clips(index, options))]
    return parts


def _clips(index: Path, options: dict) -> list[tuple[str, ...]]:
    return [
        (
            Path(entry["file"]).stem,
            str(len(entry["segments"])),
            entry["source"]["url"],
            entry["licence_class"],
        )
        for entry in json.loads(index.read_text())["clips"]
        if entry["split"] == "train"
        and (not options["licences"] or entry["licence_class"] in options["licences"])
    ]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(map(markdown.line, [head, ("---",) * len(head), *rows]))


def main() -> int:
    """Parses the command line and releases; returns the exit code."""
    options = tyro.cli(Options, prog="python -m train.release")

    def action():
        print(f"wrote {release(options.run, options.bits)}")
        return 0

    return guarded(action, prog="train.release")


if __name__ == "__main__":
    sys.exit(main())
