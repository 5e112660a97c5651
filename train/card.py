"""A model card: what weights were trained on, by which commands, and how it went."""

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from train.run import RECORD
from vfi_jax import registry
from vfi_jax.evaluation import markdown
from vfi_jax.weights.places import packaged_folder

LICENCE = "Apache-2.0"
ROWS = 12  # of the curve
CAVEAT = """\
A licence is the one of the repository as a whole, which does not always cover clips of third
parties in it. The clips were trained on; none of them is distributed here."""
RENDERED = "Procedural scenes, rendered by vfi_jax itself."


class Run(NamedTuple):
    """What a run's folder tells: its records, one for each time that it was started or resumed,
    and the lines of its metrics."""

    starts: list[dict]
    metrics: list[dict]

    @property
    def model(self) -> str:
        """Its name in the registry."""
        return self.starts[0]["recipe"]["model"]

    @property
    def started_from(self) -> str:
        """Name or folder of the weights; empty for fresh ones."""
        return self.starts[0]["options"]["start_from"]

    def lines(self, kind: str) -> list[dict]:
        """Its metrics of one kind."""
        return [line for line in self.metrics if line["kind"] == kind]


def history(folder: Path) -> list[Run]:
    """The run of a folder, after those whose weights it went on from."""
    record = json.loads((folder / RECORD).read_text())
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    run = Run([record, *record.get("resumed", [])], [json.loads(line) for line in lines])
    before = Path(run.started_from).parent
    return [*(history(before) if run.started_from and (before / RECORD).is_file() else []), run]


def card(name: str, parameters: int, steps: int, runs: list[Run]) -> str:
    """The card of the last run's weights.

    Args:
      name: of the model.
      parameters: how many it has.
      steps: of a kernel's root mean square that it is rounded to; 0: not rounded.
      runs: the run, after those that it went on from, the oldest first.
    """
    commands = "\n".join(
        _command(start["command"], "DIR" if run is runs[-1] else "BEFORE")
        for run in runs
        for start in run.starts
    )
    rounded = f", kernels to 1/{steps} of their root mean square" if steps else ""
    trained, clips = _of_card(runs[0].started_from)
    parts = [
        f"# {name}",
        f"{parameters:,} parameters as float16{rounded}; trained by this project; {LICENCE}.",
        f"## Training\n\n```\n{commands}\n```",
        "\n".join(f"- {fact}: {text}" for fact, text in _facts(runs).items()),
        "Mean PSNR of held-out windows, in dB, as it went:",
        _curve(runs[-1].lines("eval")),
        *([f"## Before\n\n{trained}"] if trained else []),
        "## Data",
        *_data([run.starts[-1] for run in runs], clips),
    ]
    return "\n\n".join(parts) + "\n"


def _of_card(name: str) -> tuple[str, list[tuple[str, ...]]]:
    """Of the package's weights that a run started from, how they were trained and on what clips."""
    page = packaged_folder(name).with_suffix(".md") if name in registry.list_models() else None
    if page is None or not page.is_file():
        return "", []
    text = page.read_text()
    trained = text.partition("## Training\n")[2].partition("\n## Data\n")[0].strip()
    rows = text.partition("## Data\n")[2].partition("\n## ")[0].splitlines()
    cells = [
        tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows if row[:1] == "|"
    ]
    return trained, cells[2:]


def _facts(runs: list[Run]) -> dict[str, str]:
    last = runs[-1].starts[-1]
    recipe, devices, optimizer = last["recipe"], last["devices"], last["recipe"]["optimizer"]
    commits = dict.fromkeys(start["commit"] for run in runs for start in run.starts)
    before = runs[0].started_from
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


def _data(records: list[dict], before: list[tuple[str, ...]]) -> list[str]:
    names = {name for record in records for name in record["recipe"]["data"]}
    filmed = [record["options"] for record in records if "video_folder" in record["recipe"]["data"]]
    clips = dict.fromkeys([*before, *(clip for options in filmed for clip in _clips(options))])
    parts = []
    if names - {"video_folder"}:
        parts.append(RENDERED)
    if clips:
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
