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
from typing import Annotated, NamedTuple

import jax
import numpy as np
import tyro

from train.run import RECORD
from vfi_jax import registry, weights
from vfi_jax.cli.__main__ import guarded
from vfi_jax.evaluation import markdown
from vfi_jax.weights.places import packaged_folder

LICENCE = "Apache-2.0"
ROWS = 12  # of the curve
CAVEAT = """\
A licence is the one of the repository as a whole, which does not always cover clips of third
parties in it. The clips were trained on; none of them is distributed here."""
RENDERED = "Procedural scenes, rendered by vfi_jax itself."


@dataclasses.dataclass(frozen=True)
class Options:
    """Store a finished run's weights in the package as float16, and write their model card."""

    run: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""

    steps: int = 0
    """Round kernels to so many steps in their root mean square, a power of two; 0 does not. With 16
    a file is a quarter smaller."""


def release(run: Path, steps: int = 0) -> Path:
    """Stores the weights of a finished run and writes their card.

    Args:
      run: folder of the run.
      steps: of a kernel's root mean square, a power of two, that it is rounded to; 0 for none.

    Returns:
      The card's file.

    Raises:
      ValueError: the folder holds no finished run, or `steps` is no power of two.
    """
    if steps < 0 or steps & (steps - 1):
        raise ValueError(f"steps must be a power of two, or 0 for no rounding, got {steps}")
    if not (run / RECORD).is_file() or not (run / "weights").is_dir():
        raise ValueError(f"{run} must hold a finished run, with {RECORD} and weights/ in it")
    runs = _runs(run)
    name = runs[-1].starts[0]["recipe"]["model"]
    _, variables = weights.load(run / "weights")
    folder = packaged_folder(name)
    text = _card(name, registry.count_parameters(variables), steps, runs)
    weights.save(
        folder,
        name,
        jax.tree.map(lambda array: _half(array, steps), variables),
        licence=LICENCE,
        source="trained by this project; the model card lies beside this folder",
    )
    card = folder.with_suffix(".md")
    card.write_text(text)
    return card


class Run(NamedTuple):
    """What a run's folder tells: its records, one for each time that it was started or resumed,
    and the lines of its metrics."""

    starts: list[dict]
    metrics: list[dict]

    def lines(self, kind: str) -> list[dict]:
        """Its metrics of one kind."""
        return [line for line in self.metrics if line["kind"] == kind]


def _runs(folder: Path) -> list[Run]:
    """The run, after those whose weights it went on from."""
    record = json.loads((folder / RECORD).read_text())
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    run = Run([record, *record.get("resumed", [])], [json.loads(line) for line in lines])
    before = record["options"]["start_from"]
    earlier = Path(before).parent
    return [*(_runs(earlier) if before and (earlier / RECORD).is_file() else []), run]


def _half(array, steps):
    """As float16; a kernel in multiples of 1/steps of its root mean square's power of two."""
    array = np.asarray(array, np.float32)
    power = np.sqrt(np.square(array).mean())
    if steps and array.ndim > 1 and power > 0:
        step = 2.0 ** np.floor(np.log2(power)) / steps
        array = np.round(array / step) * step
    return array.astype(np.float16)


def _card(name: str, parameters: int, steps: int, runs: list[Run]) -> str:
    commands = "\n".join(
        _command(start["command"], "DIR" if run is runs[-1] else "BEFORE")
        for run in runs
        for start in run.starts
    )
    rounded = f", kernels to 1/{steps} of their root mean square" if steps else ""
    parts = [
        f"# {name}",
        f"{parameters:,} parameters as float16{rounded}; trained by this project; {LICENCE}.",
        f"## Training\n\n```\n{commands}\n```",
        "\n".join(f"- {fact}: {text}" for fact, text in _facts(runs).items()),
        "Mean PSNR of held-out windows, in dB, as it went:",
        _curve(runs[-1].lines("eval")),
        "## Data",
        *_data([run.starts[-1] for run in runs]),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(runs: list[Run]) -> dict[str, str]:
    last = runs[-1].starts[-1]
    recipe, devices, optimizer = last["recipe"], last["devices"], last["recipe"]["optimizer"]
    commits = dict.fromkeys(start["commit"] for run in runs for start in run.starts)
    before = runs[0].starts[0]["options"]["start_from"]
    earlier = [
        f"; then {_steps(run)} of {run.starts[0]['options']['system']}, {_duration(run)}"
        for run in runs[:-1]
    ]
    start = f"{before} of the first commit below" if before else "fresh parameters"
    return {
        "started from": start + "".join(earlier),
        "steps": _steps(runs[-1]),
        "optimiser": f"{optimizer['rule']}, learning rate up to {optimizer['learning_rate']}",
        "stored": f"the parameters' moving average, decay {recipe['ema']}",
        "hardware": f"{len(devices)} x {devices[0]}, {_duration(runs[-1])}",
        "software": ", ".join(f"{package} {v}" for package, v in last["packages"].items() if v),
        "commit": ", then ".join(map(str, commits)),
    }


def _command(words: list[str], folder: str) -> str:
    """As it was called, but for where this machine keeps its data and runs."""
    shown = shlex.join(words)
    for option, name in (("--data-dir", "DATA"), ("--workdir", folder)):
        shown = re.sub(rf"({option}[ =])('[^']*'|\S+)", rf"\1{name}", shown)
    return re.sub(r"(--start-from[ =])('[^']*/weights'|\S+/weights)/?", r"\1BEFORE/weights", shown)


def _steps(run: Run) -> str:
    recipe = run.starts[-1]["recipe"]
    height, width = recipe["crop"]
    return f"{recipe['steps']:,} of {recipe['batch']} crops of {height}x{width} pixels"


def _duration(run: Run) -> str:
    """What the steps took, without those whose line had nothing to compare with."""
    train = run.lines("train")
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


def _data(records: list[dict]) -> list[str]:
    names = {name for record in records for name in record["recipe"]["data"]}
    filmed = [record["options"] for record in records if "video_folder" in record["recipe"]["data"]]
    clips = dict.fromkeys(clip for options in filmed for clip in _clips(options))
    parts = []
    if names - {"video_folder"}:
        parts.append(RENDERED)
    if filmed:
        parts += [CAVEAT, _table(("clip", "segments", "source", "licence"), list(clips))]
    return parts


def _clips(options: dict) -> list[tuple[str, ...]]:
    index = Path(options["data_dir"]) / "index.json"
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
        print(f"wrote {release(options.run, options.steps)}")
        return 0

    return guarded(action, prog="train.release")


if __name__ == "__main__":
    sys.exit(main())
