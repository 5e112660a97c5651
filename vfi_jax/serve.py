"""Web page for interpolating videos (smoother or slow motion); needs the extra "demo"."""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vfi_jax import registry, weights
from vfi_jax.video import Computing, Report, Timing, interpolate_video

SMOOTHER, SLOWER = "smoother", "slower"
MOST = 16  # maximum factor
KEPT = 3600  # seconds that gradio keeps uploaded videos and results


def page() -> Any:
    """The page as gradio Blocks, for your own server or a notebook."""
    import gradio

    def answer(source, model, way, factor, ensemble, progress=gradio.Progress()):  # noqa: B008
        if source is None:
            raise gradio.Error("Choose a video first.")
        with tempfile.TemporaryDirectory(prefix="vfi_jax-") as folder:
            try:
                report = interpolate(
                    source, folder, model, way, factor, ensemble, lambda *counts: progress(counts)
                )
            except (ValueError, OSError) as error:
                raise gradio.Error(str(error)) from error
            # Gradio copies the yielded file before it resumes this generator and the folder is
            # removed.
            shown = dataclasses.replace(report, target=Path(report.target.name))
            yield str(report.target), str(shown)

    with gradio.Blocks(title="vfi_jax", delete_cache=(KEPT, KEPT)) as blocks:
        gradio.Markdown("# vfi_jax\n\nNew frames between the frames of a video.")
        with gradio.Row():
            with gradio.Column():
                source = gradio.Video(label="Video")
                way = gradio.Radio([SMOOTHER, SLOWER], value=SMOOTHER, label="Playback")
                factor = gradio.Slider(2, MOST, value=2, step=1, label="Factor")
                model = gradio.Dropdown(models(), value=weights.DEFAULT, label="System")
                ensemble = gradio.Checkbox(label="Average over flips (better, 4 times slower)")
                go = gradio.Button("Interpolate", variant="primary")
            with gradio.Column():
                result = gradio.Video(label="Result")
                report = gradio.Textbox(label="Report", lines=4)
        go.click(answer, [source, model, way, factor, ensemble], [result, report])
    return blocks


def models() -> list[str]:
    """The systems whose weights are on this machine."""
    return [name for name in registry.list_models() if weights.at_hand(name)]


def interpolate(
    source: str | Path,
    folder: str | Path,
    model: str,
    way: str,
    factor: int,
    ensemble: bool,
    progress: Callable[[int, int | None], None] | None = None,
) -> Report:
    """Interpolate a video, as the page's button does.

    Args:
      source: the video.
      folder: output folder; the result is an MP4 of the same name.
      model: a name of `models`.
      way: SMOOTHER (`factor` times the frame rate) or SLOWER (`factor` times the duration).
      factor: an integer from 2 to MOST.
      ensemble: average over four flips.
      progress: called with (frames written, frames expected or None).

    Returns:
      The report.

    Raises:
      ValueError: `factor` is out of range, or as in `interpolate_video`.
    """
    if not 2 <= factor <= MOST:
        raise ValueError(f"factor must be 2 to {MOST}, got {factor}")
    source = Path(source)
    return interpolate_video(
        source,
        Path(folder) / f"{source.stem}.mp4",
        timing=Timing(multi=factor, slow=factor if way == SLOWER else 1),
        computing=Computing(model=model, ensemble="flip4" if ensemble else "none"),
        progress=progress,
    )
