"""Scoring several models on the same samples: resumable, kept as JSON, CSV and a page."""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from vfi_jax.evaluation import report
from vfi_jax.evaluation.protocols import Protocol
from vfi_jax.evaluation.score import METRICS, Sample, Scored, evaluate
from vfi_jax.interpolation import Interpolator

LINES = "scores.jsonl"
SECTIONS = "sections"

Scores = dict[str, dict[str, dict[str, float]]]  # by model, by sequence, by metric


def compare(
    interpolators: dict[str, Interpolator],
    samples: Iterable[Sample],
    protocol: Protocol,
    *,
    out: Path | None = None,
    pictures: int = 24,
    told: Callable[[str, dict[str, dict[str, float]]], None] = lambda name, scores: None,
) -> Scores:
    """Scores every model on every sample.

    With `out`, a line is written for each sample as it is done; a later call goes on after them.

    Args:
      interpolators: by the name that the tables show.
      samples: read lazily, one by one.
      protocol: whose conventions are used.
      out: folder for scores.jsonl and the page's sections.
      pictures: samples that get a section.
      told: called with each sample's name and its scores by model.

    Returns:
      The mean over a sample's times of every metric, by model and sequence.

    Raises:
      ValueError: `out` holds scores of other models; or as `evaluate`.
    """
    done = _read(out, list(interpolators))
    scores: Scores = {model: {} for model in interpolators}
    for index, sample in enumerate(samples):
        row = done.get(sample.name)
        if row is None:
            results = {
                model: next(evaluate(interpolator, [sample], protocol))
                for model, interpolator in interpolators.items()
            }
            row = {model: result.mean for model, result in results.items()}
            if out is not None:
                _write(out, sample.name, row, results if index < pictures else {}, index)
        for model, values in row.items():
            scores[model][sample.name] = values
        told(sample.name, row)
    return scores


def write_report(out: Path, scores: Scores, *, title: str, facts: str) -> Path:
    """Writes scores.json, scores.csv and report.html beside what `compare` left.

    Args:
      out: folder given to `compare`.
      scores: its result.
      title: of the page.
      facts: one line on what was measured.

    Returns:
      The page.
    """
    means = {model: mean(rows) for model, rows in scores.items()}
    record = {"title": title, "facts": facts, "mean": means, "sequences": scores}
    (out / "scores.json").write_text(json.dumps(record, indent=1) + "\n")
    with (out / "scores.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["model", "sequence", *METRICS])
        for model, rows in scores.items():
            for name, values in rows.items():
                table.writerow([model, name, *(values[metric] for metric in METRICS)])
    sections = [path.read_text() for path in sorted((out / SECTIONS).glob("*.html"))]
    page = out / "report.html"
    page.write_text(report.page(title, facts, list(scores), sections, report.summary(scores)))
    return page


def mean(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """The unweighted mean over sequences, as tables print it.

    Sequences whose PSNR is infinite (the truth equals the prediction) are left out of its mean.
    """
    out = {}
    for metric in METRICS:
        values = [row[metric] for row in rows.values() if np.isfinite(row[metric])]
        out[metric] = float(np.mean(values)) if values else float("nan")
    return out


def _read(out, models):
    """What an earlier run left: scores by sequence."""
    if out is None or not (out / LINES).exists():
        return {}
    rows = [json.loads(line) for line in (out / LINES).read_text().splitlines() if line]
    for row in rows:
        if list(row["scores"]) != models:
            raise ValueError(
                f"{out} holds scores of {', '.join(row['scores'])}; "
                f"name another --out for {', '.join(models)}"
            )
    return {row["name"]: row["scores"] for row in rows}


def _write(out, name, row, results: dict[str, Scored], index):
    (out / SECTIONS).mkdir(parents=True, exist_ok=True)
    if results:
        section = report.section(results, flows={})
        (out / SECTIONS / f"{index:06d}.html").write_text(section)
    with (out / LINES).open("a") as file:
        file.write(json.dumps({"name": name, "scores": row}) + "\n")
