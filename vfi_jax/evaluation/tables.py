"""Tables of scores: means, groups of sequences, and formats of metrics."""

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np

Scores = dict[str, dict[str, dict[str, float]]]  # by model, by sequence, by metric

MOST_GROUPS = 8  # more folders than this are clips, not classes


@dataclasses.dataclass(frozen=True)
class Column:
    """Format of a metric in tables.

    Attributes:
      heading: heading with unit.
      digits: number of decimals, as in published tables.
      larger: whether larger is better.
    """

    heading: str
    digits: int
    larger: bool = False

    def text(self, value: float) -> str:
        """The value as table text."""
        return f"{value:.{self.digits}f}"

    def best(self, values: Iterable[float]) -> float:
        """The best of the values of several models."""
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
    """Names of the metrics in the scores."""
    return [name for name in COLUMNS if name in _first(_first(scores))]


def mean(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """The unweighted mean over sequences, as in tables."""
    return means({"": rows})[f"mean of {len(rows)}"][""]


def mean_of(values: Iterable[float]) -> float:
    """The mean of the finite values; infinite if none is finite, NaN if there are no values."""
    values = list(values)
    bounded = [value for value in values if not np.isinf(value)]
    return float(np.mean(bounded or values)) if values else float("nan")


def means(scores: Scores, *, of: str = "sequences") -> dict[str, dict[str, dict[str, float]]]:
    """Means by model, of each group of sequences if there are groups, then of all.

    A mean depends only on its own model. Sequences with infinite PSNR are excluded from the model's
    mean PSNR, and `remarks` reports them.

    Args:
      scores: by model, then by sequence, then by metric.
      of: units of the overall mean: "sequences" or "groups", as in a protocol's `mean`; with
        "groups", all groups are shown.

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
    """A line per model with infinite PSNRs, with the number of sequences in its mean."""
    lines = []
    for model, rows in scores.items():
        exact = sum(int(values.get("exact", 0)) for values in rows.values())
        if exact:
            finite = sum(np.isfinite(values["psnr"]) for values in rows.values())
            frames = "1 frame equals" if exact == 1 else f"{exact} frames equal"
            lines.append(
                f"{model}: PSNR over {finite} of {len(rows)} sequences; {frames} the ground truth, "
                "with infinite PSNR, excluded from the mean"
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

    Empty if a name has no class, if there is only one class, or if there are more than `most`.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        group, slash, _ = name.partition("/")
        found.setdefault(group if slash else "", []).append(name)
    return {} if "" in found or not 1 < len(found) <= (most or len(found)) else found


def _first(mapping):
    return next(iter(mapping.values()), {})
