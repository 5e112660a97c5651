"""Evaluation of several models on the same samples: resumable, saved as JSON, CSV and HTML."""

import csv
import dataclasses
import json
import math
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from vfi_jax.evaluation import report, tables
from vfi_jax.evaluation.protocols import Protocol
from vfi_jax.evaluation.score import METRICS, Answer, Extra, Sample, Scored, evaluate
from vfi_jax.evaluation.tables import Scores

CONDITIONS = "run.json"
LINES = "scores.jsonl"
SECTIONS = "sections"
PICTURES = 24  # default number of sections of a page


def compare(
    interpolators: Mapping[str, Answer],
    samples: Iterable[Sample],
    protocol: Protocol,
    *,
    extras: Sequence[Extra] = (),
    flows: Mapping[str, Callable[[Sample], np.ndarray | None]] = MappingProxyType({}),
    data: str = "",
    weights: Mapping[str, str] = MappingProxyType({}),
    out: Path | None = None,
    pictures: int = PICTURES,
    on_sample: Callable[[str, dict[str, dict[str, float]]], None] = lambda name, scores: None,
) -> Scores:
    """Evaluate every model on every sample.

    With `out`, a line is written after each sample, and a later call resumes from there. Samples
    are identified by their name and true frames.

    Args:
      interpolators: `Interpolator` or `baseline` by the name shown in tables.
      samples: read lazily, one at a time.
      protocol: conventions of the evaluation.
      extras: additional metrics, as for `evaluate`.
      flows: function from a sample to an image of the model's flow, by model name.
      data: description of the data.
      weights: identifier of a model's weights, by model name.
      out: folder for run.json, scores.jsonl and the page's sections.
      pictures: number of first samples with a section; an already scored sample without its section
        is run again.
      on_sample: called with each sample's name and its scores by model.

    Returns:
      The mean of every metric over a sample's times, and the count "exact" of `Scored.mean`, by
      model and sequence.

    Raises:
      ValueError: `out` has scores of other models, weights, metrics, data or protocol; two samples
        share a name; or as in `evaluate`.
    """
    conditions = _conditions(interpolators, protocol, extras)
    conditions |= {"data": data, "weights": ", ".join(map(" ".join, weights.items()))}
    done = {} if out is None else _resume(out, conditions)
    scores: Scores = {model: {} for model in interpolators}
    seen: set[str] = set()
    for index, sample in enumerate(samples):
        if sample.name in seen:
            raise ValueError(
                f"samples must have unique names, got two named {sample.name}; rename one"
            )
        seen.add(sample.name)
        key = f"{sample.name} {zlib.crc32(sample.targets.tobytes()):08x}"
        row = done.get(key)
        pictured = out is not None and index < pictures
        if row is None:
            results = _results(interpolators, sample, protocol, extras)
            row = {model: scored.mean for model, scored in results.items()}
            if pictured:
                _draw(out, results, flows)
            if out is not None:
                _write(out, key, row)
        elif pictured and not _section(out, sample.name).exists():
            # Sections do not show additional metrics.
            _draw(out, _results(interpolators, sample, protocol, ()), flows)
        for model, values in row.items():
            scores[model][sample.name] = values
        on_sample(sample.name, row)
    return scores


def write_report(
    out: Path,
    scores: Scores,
    *,
    title: str,
    facts: str,
    mean: str = "sequences",
    pictures: int = PICTURES,
) -> Path:
    """Write scores.json, scores.csv and report.html into the folder of `compare`.

    Args:
      out: folder passed to `compare`.
      scores: its result.
      title: title of the page.
      facts: one line about the measurement.
      mean: the protocol's `mean`.
      pictures: as passed to `compare`; other sections in the folder are not shown.

    Returns:
      Path of the page.
    """
    means = tables.means(scores, of=mean)
    remarks = tables.remarks(scores)
    record = {
        "title": title,
        "facts": facts,
        "means": means,
        "remarks": remarks,
        "sequences": scores,
    }
    (out / "scores.json").write_text(json.dumps(_strict(record), indent=1) + "\n")
    metrics = tables.columns(scores)
    with (out / "scores.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["model", "sequence", *metrics])
        for model, rows in scores.items():
            for name, values in rows.items():
                table.writerow([model, name, *(values[metric] for metric in metrics)])
    names = list(next(iter(scores.values()), {}))
    pictured = (_section(out, name) for name in names[:pictures])
    sections = [path.read_text() for path in pictured if path.exists()]
    page = out / "report.html"
    page.write_text(report.page(title, [facts, *remarks], scores, sections, means))
    return page


def _strict(value):
    """`value` with null for numbers that JSON does not support."""
    if isinstance(value, dict):
        return {key: _strict(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _conditions(interpolators, protocol, extras):
    """The settings that scores depend on, besides data and weights."""
    fields = dataclasses.asdict(protocol)
    # Neither of these affects the score of a sequence.
    others = ("data", "source", "mean")
    rules = (f"{name}={value}" for name, value in fields.items() if name not in others)
    names = [f"{name} by {extra.network}" for extra in extras for name in extra.names]
    return {
        "models": ", ".join(interpolators),
        "metrics": ", ".join([*METRICS, *names]),
        "protocol": ", ".join(rules),
    }


def _resume(out, conditions):
    """Scores by sample from an earlier run with the same settings in the folder."""
    path = out / CONDITIONS
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(conditions, indent=1) + "\n")
    for what, held in json.loads(path.read_text()).items():
        if held != conditions[what]:
            raise ValueError(
                f"{out} has scores of {what} {held}, not {conditions[what]}; use another --out"
            )
    file = out / LINES
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    if lines and not lines[-1].endswith("\n"):  # incomplete line of a killed run
        lines.pop()
        file.write_text("".join(lines))
    rows = [json.loads(line) for line in lines]
    return {row["sample"]: row["scores"] for row in rows}


def _results(interpolators, sample, protocol, extras):
    return {
        model: next(evaluate(interpolator, [sample], protocol, extras=extras))
        for model, interpolator in interpolators.items()
    }


def _draw(out, results: dict[str, Scored], flows):
    sample = next(iter(results.values())).sample
    drawn = {model: flows[model](sample) for model in results if model in flows}
    seen = {model: picture for model, picture in drawn.items() if picture is not None}
    (out / SECTIONS).mkdir(parents=True, exist_ok=True)
    _section(out, sample.name).write_text(report.section(results, seen))


def _section(out, name):
    """A sample's file, named after the sample with special characters escaped."""
    return out / SECTIONS / f"{urllib.parse.quote(name, safe='')}.html"


def _write(out, key, row):
    with (out / LINES).open("a") as file:
        file.write(json.dumps({"sample": key, "scores": row}) + "\n")
