"""Model cards in the format of model hubs: data, commands and progress of the training."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vfi_jax import data, registry, weights
from vfi_jax.data.builders import video_folder
from vfi_jax.evaluation import markdown
from vfi_jax.training.run import RECORD
from vfi_jax.weights import hub_folder
from vfi_jax.weights.places import packaged_folder

LICENCE = "Apache-2.0"
ROWS = 12  # maximum number of rows of the curve
CAVEAT = """\
The licence is that of the whole source repository, which may not cover third-party clips in it. The
clips were used for training only and are not distributed here."""
RENDERED = "Procedural scenes, rendered by vfi_jax itself."
UNLISTED = "Videos from a folder that states neither their source nor their licence"
UNSTATED = "not stated"


class Run(NamedTuple):
    """The content of a run's folder: a record for each start or resumption, and its metrics."""

    starts: list[dict]
    metrics: list[dict]

    @property
    def model(self) -> str:
        """Name of the model in the registry."""
        return self.starts[0]["recipe"]["model"]

    @property
    def started_from(self) -> dict[str, str]:
        """Names or folders of initial weights, by part of the model; "" is the whole model."""
        start = self.starts[0]
        whole = start["options"]["start_from"]
        return {"": whole} if whole else start["recipe"].get("start_from", {})

    def lines(self, kind: str) -> list[dict]:
        """The metrics of one kind."""
        return [line for line in self.metrics if line["kind"] == kind]


def history(folder: Path) -> list[Run]:
    """The run in a folder, preceded by the runs whose weights it continued from."""
    record = json.loads((folder / RECORD).read_text())
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    run = Run([record, *record.get("resumed", [])], [json.loads(line) for line in lines])
    before = Path(run.started_from.get("", "")).parent
    earlier = "" in run.started_from and (before / RECORD).is_file()
    return [*(history(before) if earlier else []), run]


def card(name: str, parameters: int, steps: int, runs: list[Run]) -> str:
    """The model card of the last run's weights.

    Args:
      name: name of the model.
      parameters: number of parameters.
      steps: kernels are rounded to 1/steps of their root mean square; 0: not rounded.
      runs: the runs in order, each continued by the next.

    Raises:
      ValueError: the first run started from weights of another project, whose licence may differ;
        or a run cannot be repeated by a command.
    """
    _check_ancestors(name, runs[0].started_from)
    if not all(start["command"] for run in runs for start in run.starts):
        raise ValueError(
            f"{name} was trained by a program with an unnamed recipe, which no command can repeat; "
            "train it with vfi-jax train, or name the recipe package.module:NAME"
        )
    commands = "\n".join(
        _command(start["command"], "DIR" if run is runs[-1] else "BEFORE")
        for run in runs
        for start in run.starts
    )
    rounded = f", kernels to 1/{steps} of their root mean square" if steps else ""
    before = [_of_card(start) for start in runs[0].started_from.values()]
    trained = "\n\n".join(text for text, _ in before if text)
    clips = [clip for _, rows in before for clip in rows]
    parts = [
        f"# {name}",
        f"{parameters:,} parameters as float16{rounded}; trained by this project; {LICENCE}.",
        f"## Training\n\n```\n{commands}\n```",
        "\n".join(f"- {fact}: {text}" for fact, text in _facts(runs).items()),
        "Mean PSNR of held-out windows during training, in dB:",
        _curve(runs[-1].lines("eval")),
        *([f"## Earlier training\n\n{trained}"] if trained else []),
        "## Data",
        *_data([run.starts[-1] for run in runs], clips),
    ]
    return hub_folder.front_matter(LICENCE) + "\n\n".join(parts) + "\n"


def _check_ancestors(name: str, started_from: Mapping[str, str]) -> None:
    foreign = [start for start in started_from.values() if not _is_own(start)]
    if foreign:
        raise ValueError(
            f"{name} started from {' and '.join(foreign)}, which is not among the package's own "
            f"weights, so it cannot be released under {LICENCE}; train it from scratch, or from "
            "weights in the package"
        )


def _is_own(name):
    """Whether a name means the package's weights, which the user's own of that name override."""
    return name in registry.list_models() and weights.at_hand(name) == packaged_folder(name)


def _of_card(name: str) -> tuple[str, list[tuple[str, ...]]]:
    """How weights in the package were trained, and their table of clips, from their card."""
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
    before = [f"{name} ({part})" if part else name for part, name in runs[0].started_from.items()]
    fixed = [f"{name} ({role})" for role, name in recipe.get("frozen", {}).items()]
    earlier = [f"; then {_recipe(run)}: {_steps(run)}, {_duration(run)}" for run in runs[:-1]]
    start = f"{', '.join(before)} at the first commit below" if before else "random"
    average = f"moving average of the parameters, decay {recipe['ema']}"
    return {
        "initial weights": start + "".join(earlier),
        "training": _steps(runs[-1]),
        "optimiser": f"{optimizer['rule']}, peak learning rate {optimizer['learning_rate']}",
        **({"frozen networks of the loss": ", ".join(fixed)} if fixed else {}),
        "stored": average if recipe["ema"] else "parameters of the last step",
        "hardware": f"{len(devices)} x {devices[0]}, {_duration(runs[-1])}",
        "software": ", ".join(f"{package} {v}" for package, v in last["packages"].items() if v),
        "commit": ", then ".join(map(str, commits)),
    }


def _command(words: list[str], folder: str) -> str:
    """The command line, with placeholders for this machine's folders."""
    shown = shlex.join(words)
    for option, name in (("--data-dir", "DATA"), ("--workdir", folder)):
        shown = re.sub(rf"({option}[ =])('[^']*'|\S+)", rf"\1{name}", shown)
    return re.sub(r"(--start-from[ =])('[^']*/weights'|\S+/weights)/?", r"\1BEFORE/weights", shown)


def _recipe(run: Run) -> str:
    """The recipe's name in its command."""
    options = run.starts[0]["options"]
    return options["system"] or options["recipe"]


def _steps(run: Run) -> str:
    recipe = run.starts[-1]["recipe"]
    height, width = recipe["crop"]
    batch = f"batches of {recipe['batch']} crops of {height}x{width} pixels"
    return f"{recipe['steps']:,} steps, {batch}"


def _duration(run: Run) -> str:
    """Total time of the steps, without those for which no rate was measured."""
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
    names = sorted({name for record in records for name in record["recipe"]["data"]})
    filmed = [record["options"] for record in records if "video_folder" in record["recipe"]["data"]]
    clips = dict.fromkeys([*before, *(clip for options in filmed for clip in _clips(options))])
    builders = {name: data.find(name)[0] for name in names}
    rendered = {name for name, builder in builders.items() if not builder.LAYOUT}
    parts = [RENDERED] if rendered else []
    for name, builder in builders.items():
        if name not in rendered and name != "video_folder":
            about = (builder.__doc__ or "").partition("\n")[0]
            parts.append(f"`{name}`: {about}")
    if any(map(_has_unlisted, filmed)):
        parts.append(f"{UNLISTED}.")
    if clips:
        parts += [CAVEAT, _table(("clip", "segments", "source", "licence"), list(clips))]
    return parts


def _clips(options: dict) -> list[tuple[str, ...]]:
    return [
        (
            Path(file).stem,
            str(len(entry["segments"])) if "segments" in entry else "all",
            entry.get("source", {}).get("url", UNSTATED),
            entry.get("licence_class", UNSTATED),
        )
        for file, entry in video_folder.read_index(Path(options["data_dir"])).items()
        if entry.get("split", Path(file).parts[0]) != "val"
        and (not options["licences"] or entry.get("licence_class") in options["licences"])
    ]


def _has_unlisted(options: dict) -> bool:
    """Whether training used videos not listed in index.json; impossible if licences are given."""
    folder = Path(options["data_dir"])
    listed = video_folder.read_index(folder)
    found = video_folder.find_videos(folder, "train")
    names = [video.relative_to(folder).as_posix() for video in found]
    return not options["licences"] and (not listed or not set(names) <= set(listed))


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(map(markdown.line, [head, ("---",) * len(head), *rows]))
