"""A web page on which a video comes back smoother or slower; needs the extra "demo"."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vfi_jax import registry, weights
from vfi_jax.video import Report, interpolate_video

SMOOTHER, SLOWER = "smoother", "slower"
MOST = 16  # times as many frames


def page() -> Any:
    """The page as gradio's Blocks, for a server of your own or a notebook."""
    import gradio

    def answer(source, model, way, factor, ensemble, progress=gradio.Progress()):  # noqa: B008
        if source is None:
            raise gradio.Error("Choose a video first.")
        try:
            report = interpolate(
                source, model, way, factor, ensemble, lambda *counts: progress(counts)
            )
        except (ValueError, OSError) as error:
            raise gradio.Error(str(error)) from error
        return str(report.target), str(report)

    with gradio.Blocks(title="vfi_jax") as blocks:
        gradio.Markdown("# vfi_jax\n\nNew frames between the frames of a video.")
        with gradio.Row():
            with gradio.Column():
                source = gradio.Video(label="Video")
                way = gradio.Radio([SMOOTHER, SLOWER], value=SMOOTHER, label="It shall play")
                factor = gradio.Slider(2, MOST, value=2, step=1, label="How many times")
                model = gradio.Dropdown(models(), value=weights.DEFAULT, label="System")
                ensemble = gradio.Checkbox(label="Average over flips: better, 4 times as long")
                go = gradio.Button("Interpolate", variant="primary")
            with gradio.Column():
                made = gradio.Video(label="Result")
                report = gradio.Textbox(label="Report", lines=4)
        go.click(answer, [source, model, way, factor, ensemble], [made, report])
    return blocks


def models() -> list[str]:
    """The systems that have weights here."""
    return [name for name in registry.list_models() if weights.at_hand(name)]


def interpolate(
    source: str | Path,
    model: str,
    way: str,
    factor: int,
    ensemble: bool,
    progress: Callable[[int, int | None], None] | None = None,
) -> Report:
    """What the page's button does.

    Args:
      source: the video.
      model: a name of `models`.
      way: SMOOTHER, frames `factor` times as dense; or SLOWER, `factor` times as long.
      factor: a whole number.
      ensemble: average over four flips.
      progress: called with (frames written, frames expected or None).

    Returns:
      The report; its target, an MP4, lies in a new temporary folder.

    Raises:
      ValueError: as `interpolate_video`.
    """
    source = Path(source)
    return interpolate_video(
        source,
        Path(tempfile.mkdtemp(prefix="vfi_jax-")) / f"{source.stem}.mp4",
        model=model,
        ensemble="flip4" if ensemble else "none",
        progress=progress,
        multi=factor,
        slow=factor if way == SLOWER else 1,
    )
