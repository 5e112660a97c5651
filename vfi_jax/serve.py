"""Web page for interpolating videos (smoother or slow motion); needs the extra "demo"."""

import contextlib
import dataclasses
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vfi_jax import registry, weights
from vfi_jax.video import Computing, Output, Report, Timing, interpolate_video
from vfi_jax.video.read import open_source
from vfi_jax.video.source import Frame

SMOOTHER, SLOWER = "smoother", "slower"
MOST = 16  # maximum factor
KEPT = 3600  # seconds after which gradio deletes uploaded videos and results
WAITING = 20  # maximum length of the queue; requests run one at a time
COMPARED = 90  # number of output frames that are searched for the pair of the slider
# (encoder, suffix) of codecs that browsers play.
CODECS = {
    "H.264": ("libx264", ".mp4"),
    "H.265": ("libx265", ".mp4"),
    "AV1": ("libsvtav1", ".mp4"),
    "VP9": ("libvpx-vp9", ".webm"),
}


def page() -> Any:
    """The page as gradio Blocks, for a server or a notebook."""
    import gradio

    def answer(source, model, way, factor, fps, codec, ensemble, progress=gradio.Progress()):  # noqa: B008
        if source is None:
            raise gradio.Error("Choose a video first.", print_exception=False)
        with tempfile.TemporaryDirectory(prefix="vfi_jax-") as folder:
            try:
                request = Request(model, way, factor, fps or None, codec, ensemble)
                report = interpolate(source, folder, request, lambda *counts: progress(counts))
            except (ValueError, OSError) as error:
                # The user does not know the folder of the upload.
                message = str(error).replace(f"{Path(source).parent}/", "")
                raise gradio.Error(message, print_exception=False) from error
            pair = compared(source, report.target, slow=request.timing.slow)
            # Gradio copies the yielded file before it resumes this generator and the folder is
            # removed.
            shown = dataclasses.replace(report, target=Path(report.target.name))
            yield str(report.target), pair, str(shown)

    with gradio.Blocks(title="vfi_jax", delete_cache=(KEPT, KEPT)) as blocks:
        gradio.Markdown("# vfi_jax\n\nNew frames between the frames of a video.")
        with gradio.Row():
            with gradio.Column():
                source = gradio.Video(label="Video", elem_id="source")
                way = gradio.Radio([SMOOTHER, SLOWER], value=SMOOTHER, label="Playback")
                factor = gradio.Slider(2, MOST, value=2, step=1, label="Factor")
                fps = gradio.Textbox(
                    label="Frame rate (optional; otherwise by the factor)",
                    placeholder="60, 59.94 or 60000/1001",
                )
                codec = gradio.Dropdown(list(CODECS), value="H.264", label="Codec")
                model = gradio.Dropdown(models(), value=weights.DEFAULT, label="System")
                ensemble = gradio.Checkbox(label="Average over flips (better, 4 times slower)")
                go = gradio.Button("Interpolate", variant="primary", elem_id="go")
            with gradio.Column():
                result = gradio.Video(label="Result", elem_id="result")
                pair = gradio.ImageSlider(
                    label="Before (source) and after (new frame)", elem_id="pair"
                )
                report = gradio.Textbox(label="Report", lines=4, elem_id="report")
        inputs = [source, model, way, factor, fps, codec, ensemble]
        go.click(answer, inputs, [result, pair, report], concurrency_limit=1)
    return blocks.queue(max_size=WAITING)


def models() -> list[str]:
    """Names of the systems whose weights are installed."""
    return [name for name in registry.list_models() if weights.at_hand(name)]


@dataclasses.dataclass(frozen=True)
class Request:
    """Settings of the page.

    Attributes:
      model: a name of `models`.
      way: SMOOTHER (`factor` times the frame rate) or SLOWER (`factor` times the duration).
      factor: an integer from 2 to MOST.
      fps: output frames per second; None: determined by `factor`.
      codec: a name in `CODECS`.
      ensemble: average over four flips.

    Raises:
      ValueError: `factor` is out of range or `fps` is not a frame rate.
    """

    model: str
    way: str = SMOOTHER
    factor: int = 2
    fps: str | None = None
    codec: str = "H.264"
    ensemble: bool = False

    def __post_init__(self):
        if not 2 <= self.factor <= MOST:
            raise ValueError(f"factor must be 2 to {MOST}, got {self.factor}")

    @property
    def timing(self) -> Timing:
        """Presentation times of the output frames."""
        slow = self.factor if self.way == SLOWER else 1
        return Timing(multi=None if self.fps else self.factor, fps=self.fps, slow=slow)


def interpolate(
    source: str | Path,
    folder: str | Path,
    request: Request,
    progress: Callable[[int, int | None], None] | None = None,
) -> Report:
    """Interpolate a video as the page's button does.

    Args:
      source: the video.
      folder: output folder; the result has the source's name and the codec's suffix.
      request: model, timing and encoding.
      progress: called with (frames written, frames expected or None).

    Returns:
      The report.

    Raises:
      ValueError: as in `interpolate_video`.
    """
    codec, suffix = CODECS[request.codec]
    source = Path(source)
    return interpolate_video(
        source,
        Path(folder) / f"{source.stem}{suffix}",
        timing=request.timing,
        computing=Computing(model=request.model, ensemble="flip4" if request.ensemble else "none"),
        output=Output(codec=codec),
        progress=progress,
    )


def compared(
    source: str | Path, target: str | Path, *, slow: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The pair of a source frame and an output frame for the slider.

    Of the first `COMPARED` output frames, the one that differs most from the source frame shown at
    its time.

    Args:
      source: the source video.
      target: the output video.
      slow: factor by which the output is slowed.

    Returns:
      Two `[H, W, 3]` uint8 of the output's size.
    """
    most, pair = -1.0, None
    with (
        contextlib.closing(open_source(Path(source))) as before,
        contextlib.closing(open_source(Path(target))) as after,
    ):
        originals = _frames(before)
        shown, following = next(originals), next(originals, None)
        for frame in itertools.islice(_frames(after), COMPARED):
            while following is not None and following.time * slow <= frame.time:
                shown, following = following, next(originals, None)
            left, right = _eight_bits(shown.pixels), _eight_bits(frame.pixels)
            left = cv2.resize(left, right.shape[1::-1])
            change = cv2.norm(left, right, cv2.NORM_L1)
            if change > most:
                most, pair = change, (left, right)
    assert pair is not None  # every output has a frame
    return pair


def _frames(source):
    return (item for item in source.items(alpha=False) if isinstance(item, Frame))


def _eight_bits(pixels):
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
