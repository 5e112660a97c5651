"""An HTML page that shows what the numbers mean: one file, no scripts, nothing fetched."""

import base64
import html
from collections.abc import Sequence
from string import Template

import cv2
import numpy as np

from vfi_jax.evaluation.score import METRICS, Scored

AMPLIFY = 4  # error maps show four times the difference
PATCH = 64  # side of the zoomed worst patch, in pixels
ZOOM = 4
WIDEST = 640  # pictures are shrunk to this width, in pixels

HEADINGS = {"psnr": "PSNR (dB)", "ssim": "SSIM", "ie": "IE"}
FORMATS = {"psnr": "{:.2f}", "ssim": "{:.4f}", "ie": "{:.3f}"}

PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
table { border-collapse: collapse; } th, td { padding: .25rem .8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid; } tbody tr:nth-child(odd) { background: #8881; }
td.best { font-weight: 700; } tfoot td, tr.mean td { border-top: 1px solid; font-weight: 600; }
.row { display: flex; flex-wrap: wrap; gap: .6rem; } figure { margin: 0; }
figcaption { font-size: .8rem; opacity: .75; } img { max-width: 100%; display: block; }
.row figure { flex: 1 1 16rem; max-width: 26rem; } p.facts { opacity: .75; }
</style>
<h1>$title</h1><p class="facts">$facts</p>
$body
</html>
""")


def page(title: str, facts: str, models: Sequence[str], sections: Sequence[str], table: str) -> str:
    """The whole page.

    Args:
      title: of the page.
      facts: one line: protocol, data, versions.
      models: names, in the order of the comparison.
      sections: HTML of each sequence, made by `section`.
      table: HTML of the summary, made by `summary`.
    """
    contents = f"<h2>{html.escape(', '.join(models))}</h2>{table}{''.join(sections)}"
    return PAGE.substitute(title=html.escape(title), facts=html.escape(facts), body=contents)


def summary(scores: dict[str, dict[str, dict[str, float]]]) -> str:
    """The table of all numbers: a row a sequence, a column a model and metric, the mean last.

    Args:
      scores: by model, then by sequence, then by metric.
    """
    models = list(scores)
    names = list(next(iter(scores.values())))
    head = "".join(f'<th colspan="{len(METRICS)}">{html.escape(model)}</th>' for model in models)
    units = "".join(f"<th>{HEADINGS[metric]}</th>" for _ in models for metric in METRICS)
    rows = [_row(name, [scores[model][name] for model in models]) for name in names]
    means = [
        {metric: float(np.mean([s[metric] for s in scores[model].values()])) for metric in METRICS}
        for model in models
    ]
    rows.append(_row(f"mean of {len(names)}", means, kind="mean"))
    return (
        f"<table><thead><tr><th></th>{head}</tr><tr><th>sequence</th>{units}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def section(results: dict[str, Scored], flows: dict[str, np.ndarray]) -> str:
    """What one sequence looks like: inputs, truth, and for each model result, error and patch.

    Args:
      results: of each model on the same sample; the first time is shown.
      flows: pictures of the models' flows, uint8 `[H, W, 3]`, where they have one.
    """
    first = next(iter(results.values()))
    sample, truth = first.sample, first.sample.targets[0]
    pictures = [
        _figure(sample.frames[0], "first input"),
        _figure(sample.frames[-1], "last input"),
        _figure(truth, f"truth at {float(sample.times[0]):g}"),
    ]
    rows = [f'<div class="row">{"".join(pictures)}</div>']
    worst = _worst(next(iter(results.values())).predictions[0], truth)
    for model, result in results.items():
        rows.append(_model_row(model, result, truth, worst, flows.get(model)))
    return f"<h2>{html.escape(sample.name)}</h2>{''.join(rows)}"


def _model_row(model, result, truth, worst, flow):
    prediction = result.predictions[0]
    error = np.abs(prediction - truth.astype(np.float32)) * AMPLIFY
    numbers = ", ".join(f"{HEADINGS[m]} {FORMATS[m].format(result.scores[0][m])}" for m in METRICS)
    pictures = [
        _figure(prediction, f"{model}: {numbers}"),
        _figure(error, f"difference, {AMPLIFY} times"),
        _figure(_zoomed(prediction, worst, truth), f"worst {PATCH} px, with the truth beside it"),
    ]
    if flow is not None:
        pictures.append(_figure(flow, "flow"))
    return f'<div class="row">{"".join(pictures)}</div>'


def _worst(prediction, truth):
    """Top left corner of the patch with the largest mean error."""
    error = np.abs(prediction - truth.astype(np.float32)).mean(-1)
    size = (min(PATCH, error.shape[1]), min(PATCH, error.shape[0]))
    means = cv2.boxFilter(error, -1, size, anchor=(0, 0))
    valid = means[: error.shape[0] - size[1] + 1, : error.shape[1] - size[0] + 1]
    return np.unravel_index(np.argmax(valid), valid.shape)


def _zoomed(prediction, corner, truth):
    top, left = corner
    patches = [image[top : top + PATCH, left : left + PATCH] for image in (prediction, truth)]
    pair = np.concatenate([np.float32(patch) for patch in patches], axis=1)
    return np.kron(pair, np.ones((ZOOM, ZOOM, 1), np.float32))


def _figure(picture, caption):
    pixels = np.clip(np.rint(np.asarray(picture, np.float32)), 0, 255).astype(np.uint8)
    if pixels.shape[1] > WIDEST:
        height = round(pixels.shape[0] * WIDEST / pixels.shape[1])
        pixels = cv2.resize(pixels, (WIDEST, height), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".webp", pixels[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 90])
    source = base64.b64encode(data.tobytes()).decode()
    text = html.escape(caption)
    return (
        f'<figure><img alt="{text}" src="data:image/webp;base64,{source}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def _row(name, columns, *, kind=""):
    """A table row; the best value of each metric stands out where models are compared."""
    cells = []
    for column in columns:
        for metric in METRICS:
            values = [other[metric] for other in columns]
            best = min(values) if metric == "ie" else max(values)
            mark = ' class="best"' if len(columns) > 1 and column[metric] == best else ""
            cells.append(f"<td{mark}>{FORMATS[metric].format(column[metric])}</td>")
    return f'<tr class="{kind}"><td>{html.escape(name)}</td>{"".join(cells)}</tr>'
