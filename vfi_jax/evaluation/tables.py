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
    "vif": Column("VIF", 4, larger=True),
    "lpips": Column("LPIPS", 4),
    "tof": Column("tOF (px)", 3),
    "warping": Column("warping error", 5),
}


def columns(scores: Scores) -> list[str]:
    """Names of the metrics that the scores have."""
    return [name for name in COLUMNS if name in _first(_first(scores))]


def mean(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """The unweighted mean over sequences, as tables print it."""
    return means({"": rows})[f"mean of {len(rows)}"][""]


def mean_of(values: Iterable[float]) -> float:
    """The mean of those that are not infinite; infinite where all are, NaN where there are none."""
    values = list(values)
    bounded = [value for value in values if not np.isinf(value)]
    return float(np.mean(bounded or values)) if values else float("nan")


def means(scores: Scores, *, of: str = "sequences") -> dict[str, dict[str, dict[str, float]]]:
    """Means by model: of each group of sequences, where there are groups, then of all.

    A mean depends on its own model alone. A sequence whose PSNR is infinite is left out of the
    model's mean PSNR, and `remarks` says so.

    Args:
      scores: by model, then by sequence, then by metric.
      of: what the mean of all is one of: "sequences", or "groups" as a protocol's `mean` has it,
        which then are all shown, however many.

    Returns:
      By label, such as "easy (15)" or "mean of 60", then by model and metric.
    """
    names, metrics = list(_first(scores)), columns(scores)

    def over(inside):
        return {
            model: {metric: mean_of(rows[name][metric] for name in inside) for metric in metrics}
            for model, rows in scores.items()
        }

    found = groups(names, most=None if of == "groups" else MOST_GROUPS)
    parts = {f"{group} ({len(inside)})": over(inside) for group, inside in found.items()}
    if of == "groups" and parts:
        return {**parts, f"mean of {len(parts)} groups": _over_groups(parts)}
    return {**parts, f"mean of {len(names)}": over(names)}


def remarks(scores: Scores) -> list[str]:
    """For each model with infinite PSNRs a line that says how many sequences its mean is over."""
    lines = []
    for model, rows in scores.items():
        exact = sum(int(values.get("exact", 0)) for values in rows.values())
        if exact:
            finite = sum(np.isfinite(values["psnr"]) for values in rows.values())
            frames = "1 frame equals" if exact == 1 else f"{exact} frames equal"
            lines.append(
                f"{model}: PSNR over {finite} of {len(rows)} sequences; {frames} the truth, "
                "with infinite PSNR that no mean includes"
            )
    return lines


def _over_groups(parts):
    """The mean of the groups' means."""
    return {
        model: {metric: mean_of(part[model][metric] for part in parts.values()) for metric in row}
        for model, row in _first(parts).items()
    }


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
