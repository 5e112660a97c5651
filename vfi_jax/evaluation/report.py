"""HTML report of an evaluation: one self-contained file without scripts."""

import base64
import html
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

import cv2
import numpy as np

from vfi_jax.evaluation import tables
from vfi_jax.evaluation.score import Scored
from vfi_jax.evaluation.tables import COLUMNS, Scores

AMPLIFY = 4  # factor of the difference in error maps
PATCH = 64  # width of the zoomed worst patch, in pixels
WIDEST = 640  # maximum width of images, in pixels
QUALITY = 90  # of WebP; patches are lossless
LOSSLESS = 101  # OpenCV's value for lossless WebP

PAGE = Path(__file__).with_name("report.html")


def page(
    title: str, facts: Sequence[str], scores: Scores, sections: Sequence[str], means: Scores
) -> str:
    """The whole page.

    Args:
      title: title of the page.
      facts: lines about protocol, data, versions and number of sequences.
      scores: by model, then by sequence, then by metric.
      sections: HTML of each sequence from `section`.
      means: means of the scores, by label, then by model, then by metric.
    """
    pictures = "".join(sections)
    return Template(PAGE.read_text()).substitute(
        title=html.escape(title),
        facts="<br>".join(map(html.escape, facts)),
        means=_means(means, tables.columns(scores)),
        table=_sequences(scores, pictures),
        sections=pictures,
    )


def section(results: Mapping[str, Scored], flows: Mapping[str, np.ndarray]) -> str:
    """HTML of one sequence: ground truth, inputs, and each model's result, error map and patch.

    Args:
      results: results of each model on the same sample; the middle time is shown.
      flows: images of the models' flows, uint8 `[H, W, 3]`, if available.
    """
    sample = next(iter(results.values())).sample
    index = len(sample.times) // 2
    time, truth = float(sample.times[index]), sample.targets[index]
    # The same patch for all models, where the first model is worst, so that they can be compared.
    place = _worst(next(iter(results.values())).predictions[index], truth)
    rows = [
        _row(
            f"time {time:g} of {len(sample.frames)} inputs",
            "",
            [
                _figure(truth, "truth"),
                _patch(truth, place, "truth, zoomed"),
                _figure(sample.frames[0], "first input"),
                _figure(sample.frames[-1], "last input"),
            ],
        )
    ]
    for model, result in results.items():
        error = _framed(np.abs(result.predictions[index] - np.float32(truth)) * AMPLIFY, place)
        pictures = [
            _figure(result.predictions[index], "result"),
            _patch(result.predictions[index], place, "result, zoomed"),
            _figure(error, f"difference x {AMPLIFY}; frame: the zoomed patch"),
        ]
        if model in flows:
            pictures.append(_figure(flows[model], "flow: hue is direction, saturation is length"))
        rows.append(_row(model, _numbers(result.scores[index]), pictures))
    name = html.escape(sample.name)
    return f'<section id="{name}"><h2>{name}</h2>{"".join(rows)}</section>\n'


def _row(title, numbers, figures):
    return f'<h3>{html.escape(title)}{numbers}</h3><div class="pictures">{"".join(figures)}</div>'


def _numbers(scores):
    return "".join(
        f"<span>{COLUMNS[metric].heading} <b>{COLUMNS[metric].text(value)}</b></span>"
        for metric, value in scores.items()
    )


def _means(parts, metrics):
    """A row per model (and group of sequences), a column per metric."""
    head = "".join(f"<th>{COLUMNS[metric].heading}</th>" for metric in metrics)
    bodies = []
    for label, by_model in parts.items():
        rows = [
            f"<tr>{_named(model)}{_cells(values, metrics, list(by_model.values()))}</tr>"
            for model, values in by_model.items()
        ]
        span = len(metrics) + 1
        bodies.append(
            f'<tbody><tr class="group"><th colspan="{span}">{html.escape(label)}</th></tr>'
            f"{''.join(rows)}</tbody>"
        )
    return f"<table><thead><tr><th></th>{head}</tr></thead>{''.join(bodies)}</table>"


def _sequences(scores, pictures):
    """A row per sequence, a column per model and metric."""
    metrics = tables.columns(scores)
    span = len(metrics)
    head = "".join(
        f'<th class="model" colspan="{span}" title="{model}">{model}</th>'
        for model in map(html.escape, scores)
    )
    units = "".join(
        f"<th{' class=first' * (metric == metrics[0])}>{COLUMNS[metric].heading}</th>"
        for _ in scores
        for metric in metrics
    )
    rows = []
    for name in next(iter(scores.values()), {}):
        values = [by_name[name] for by_name in scores.values()]
        cells = "".join(_cells(row, metrics, values) for row in values)
        rows.append(f"<tr>{_named(name, _link(name, pictures))}{cells}</tr>")
    return (
        f"<table><thead><tr><th></th>{head}</tr><tr><th>sequence</th>{units}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _cells(values, metrics, rivals):
    """Table cells; the best of several models is highlighted unless all are equal."""
    cells = []
    for metric in metrics:
        column = COLUMNS[metric]
        text = column.text(values[metric])
        best = column.text(column.best(rival[metric] for rival in rivals))
        alike = len({column.text(rival[metric]) for rival in rivals}) == 1
        kinds = ["first"] * (metric == metrics[0]) + ["best"] * (text == best and not alike)
        cells.append(f'<td class="{" ".join(kinds)}">{text}</td>')
    return "".join(cells)


def _named(name, content=""):
    """The first cell of a row; long names are truncated and shown in full on hover."""
    return f'<td title="{html.escape(name)}">{content or html.escape(name)}</td>'


def _link(name, pictures):
    text = html.escape(name)
    if f'<section id="{text}">' not in pictures:
        return text
    return f'<a href="#{urllib.parse.quote(name)}">{text}</a>'


def _worst(prediction, truth):
    """(top, left, height, width) of the patch with the largest mean error, in frame aspect."""
    error = np.abs(prediction - np.float32(truth)).mean(-1)
    height, width = error.shape
    patch_width = min(PATCH, width)
    patch_height = max(1, round(patch_width * height / width))
    means = cv2.boxFilter(error, -1, (patch_width, patch_height), anchor=(0, 0))
    valid = means[: height - patch_height + 1, : width - patch_width + 1]
    top, left = np.unravel_index(np.argmax(valid), valid.shape)
    return int(top), int(left), patch_height, patch_width


def _framed(picture, place):
    top, left, height, width = place
    thickness = max(1, picture.shape[1] // 320)
    corners = (left, top), (left + width - 1, top + height - 1)
    return cv2.rectangle(np.float32(picture), *corners, (255, 255, 255), thickness)


def _patch(picture, place, caption):
    top, left, height, width = place
    cut = picture[top : top + height, left : left + width]
    return _figure(cut, caption, kind="patch", quality=LOSSLESS)


def _figure(picture, caption, *, kind="", quality=QUALITY):
    pixels = np.clip(np.rint(np.float32(picture)), 0, 255).astype(np.uint8)
    if pixels.shape[1] > WIDEST:
        height = round(pixels.shape[0] * WIDEST / pixels.shape[1])
        pixels = cv2.resize(pixels, (WIDEST, height), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".webp", pixels[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, quality])
    source = base64.b64encode(data.tobytes()).decode()
    height, width = pixels.shape[:2]
    return (
        f'<figure class="{kind}"><img alt="{caption}" width="{width}" height="{height}" '
        f'src="data:image/webp;base64,{source}"><figcaption>{caption}</figcaption></figure>'
    )
