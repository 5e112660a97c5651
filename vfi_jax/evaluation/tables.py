"""Scores as rows: means, groups of sequences, and how each metric is written."""

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np

Scores = dict[str, dict[str, dict[str, float]]]  # by model, by sequence, by metric

MOST_GROUPS = 8  # folders of a data set beyond that are no classes to compare


@dataclasses.dataclass(frozen=True)
class Column:
    """How a metric is written.

    Attributes:
      heading: with the unit.
      digits: after the point, as the field's tables have them.
      larger: is better.
    """

    heading: str
    digits: int
    larger: bool = False

    def text(self, value: float) -> str:
        """The value as it stands in a table."""
        return f"{value:.{self.digits}f}"

    def best(self, values: Iterable[float]) -> float:
        """The best of several models' values."""
        return (max if self.larger else min)(values)


COLUMNS: Mapping[str, Column] = {
    "psnr": Column("PSNR (dB)", 2, larger=True),
    "ssim": Column("SSIM", 4, larger=True),
    "haarpsi": Column("HaarPSI", 4, larger=True),
    "gmsd": Column("GMSD", 4),
    "ie": Column("IE", 3),
    "lpips": Column("LPIPS", 4),
    "tof": Column("tOF (px)", 3),
    "warping": Column("warping error", 5),
}


def columns(scores: Scores) -> list[str]:
    """Names of the metrics that the scores have."""
    return [name for name in COLUMNS if name in _first(_first(scores))]


def mean(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """The unweighted mean over sequences, as tables print it.

    Sequences whose PSNR is infinite (the truth equals the prediction) are left out of its mean.
    """
    return means({"": rows})[f"mean of {len(rows)}"][""]


def means(scores: Scores, *, of: str = "sequences") -> dict[str, dict[str, dict[str, float]]]:
    """Means by model: of each group of sequences, where there are groups, then of all.

    A sequence whose PSNR is infinite for one model is left out of its mean for all, so that models
    are compared over the same ones.

    Args:
      scores: by model, then by sequence, then by metric.
      of: what the mean of all is one of: "sequences", or "groups" as a protocol's `mean` has it,
        which then are all shown, however many.

    Returns:
      By label, such as "easy (15)" or "mean of 60", then by model and metric.
    """
    names = list(_first(scores))
    kept = {
        metric: {n for n in names if all(np.isfinite(rows[n][metric]) for rows in scores.values())}
        for metric in _first(_first(scores))
    }

    def over(inside):
        return {
            model: {
                metric: _mean([rows[name][metric] for name in inside if name in kept[metric]])
                for metric in kept
            }
            for model, rows in scores.items()
        }

    found = groups(names, most=None if of == "groups" else MOST_GROUPS)
    parts = {f"{group} ({len(inside)})": over(inside) for group, inside in found.items()}
    if of == "groups" and parts:
        return {**parts, f"mean of {len(parts)} groups": _over_groups(parts)}
    return {**parts, f"mean of {len(names)}": over(names)}


def _over_groups(parts):
    """The mean of their means, of those that have one."""
    first = _first(parts)
    return {
        model: {
            metric: _mean([v for part in parts.values() if np.isfinite(v := part[model][metric])])
            for metric in metrics
        }
        for model, metrics in first.items()
    }


def _mean(values):
    return float(np.mean(values)) if values else float("nan")


def groups(names: Iterable[str], *, most: int | None = MOST_GROUPS) -> dict[str, list[str]]:
    """Sequences by class: the part before the first "/" of names such as "easy/horses".

    Empty where a name has none, where there is one class, or where there are more than `most`,
    which are no classes.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        group, slash, _ = name.partition("/")
        found.setdefault(group if slash else "", []).append(name)
    return {} if "" in found or not 1 < len(found) <= (most or len(found)) else found


def _first(mapping):
    return next(iter(mapping.values()), {})
