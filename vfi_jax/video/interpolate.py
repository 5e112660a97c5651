"""From a video file to another: reading, interpolating and writing at once."""

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from vfi_jax.video import targets
from vfi_jax.video.background import Behind, ahead
from vfi_jax.video.options import Computing, Output, Timing, replaced
from vfi_jax.video.read import open_source
from vfi_jax.video.report import Report
from vfi_jax.video.shots import Shots
from vfi_jax.video.sink import Sink
from vfi_jax.video.slow import Slowed
from vfi_jax.video.source import DEFAULT_RATE, Frame, Source
from vfi_jax.video.timing import Schedule, parse_rate
from vfi_jax.video.write import open_sink

DEPTH = 3  # frames read ahead, and written behind


def interpolate_video(
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    timing: Timing = Timing(),
    computing: Computing = Computing(),
    output: Output = Output(),
    progress: Callable[[int, int | None], None] | None = None,
    **options: Any,
) -> Report:
    """Make a video smoother, or slower: frames between its frames, everything else as it was.

        vfi_jax.interpolate_video("in.mp4", "out.mp4", fps=60, model="rife/m", crf=20)

    Every time stamp is exact, whether frames are evenly spaced or not, and the duration stays: N
    frames at `multi=2` become 2N - 1, the last of which is shown as long as the source's last.
    Audio, subtitles, chapters, metadata, colour tags and pixel shape are carried over; 10-bit video
    stays 10-bit; rotated video is turned upright, interlaced video made whole. Frames of the source
    take the same way through RGB as new ones, so that nothing flickers. The target is complete or
    not there at all. Memory does not grow with the length.

    Args:
      source: a video that FFmpeg can read, or a folder of images, taken in natural order.
      target: .mp4 .m4v .mov .mkv .webm .gif .apng, or a folder (no suffix) of PNG files. A GIF
        shows at most 50 frames/s: 30 doubled needs fps=50.
      timing: when output frames are shown.
      computing: what computes them.
      output: how they are written.
      progress: called with (output frames written, output frames expected or None).
      **options: fields of `Timing`, `Computing` and `Output` by their own names, such as
        multi=, fps=, slow=, model=, weights=, batch=, codec=, crf= or overwrite=. They replace
        those fields.

    Returns:
      The report: sizes, rates, counts and notes.

    Raises:
      ValueError: an argument is wrong, there is no video in `source`, or `target` cannot be
        written; the message says which and what to do. Nothing is written then.
      TypeError: there is no such option.
    """
    started = time.perf_counter()
    timing, computing, output = replaced((timing, computing, output), options)
    folder = targets.is_folder(target)
    source, target = targets.named("source", source), targets.named("target", target)
    schedule, slow = timing.schedule, int(timing.slow)
    rate = None if timing.source_fps is None else parse_rate(timing.source_fps)
    targets.check(source, target, folder=folder, overwrite=output.overwrite)
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(
            contextlib.closing(open_source(source, rate=rate, gaps=timing.gaps))
        )
        if rate is not None and opened.timed:
            raise ValueError("source_fps is for images; a video has a rate of its own")
        untimed = rate is None and not opened.timed
        if not output.audio:
            opened.tracks = [track for track in opened.tracks if track.type != "audio"]
        opened = Slowed(opened, slow) if slow > 1 else opened
        if opened.gaps:  # else the gaps of a folder's frames would be lost in a folder
            schedule = dataclasses.replace(schedule, rate=schedule.out_rate(opened.picture.rate))
        name, interpolator = load(computing)
        remarks = []
        if untimed and not folder:
            remarks.append(f"images are shown at {DEFAULT_RATE} frames/s; --source-fps sets it")
        if opened.picture.colour.space and not folder:
            remarks.append("the images' colour profile is left out; a folder of images keeps it")
        _check_times(interpolator, schedule, opened.picture.rate)
        picture = _scaled(opened.picture, interpolator.contract.scale)
        staged = stack.enter_context(targets.staged(target, overwrite=output.overwrite))
        sink = open_sink(staged, opened, picture, schedule, output, folder=folder)
        stack.enter_context(contextlib.closing(sink))
        show = _counting(progress, _expected(opened, schedule))
        shots, written = _run(opened, sink, interpolator, schedule, timing.scene_threshold, show)
    if shots.moved:
        remarks.append(
            f"{shots.moved} times in uneven gaps were moved to the nearest that {name} reaches"
        )
    rate_in = _mean_rate(shots.frames_in, shots.span, picture.rate)
    return Report(
        source=source,
        target=target,
        model=name,
        codec=sink.codec,
        width=picture.width,
        height=picture.height,
        frames_in=shots.frames_in,
        frames_out=written,
        rate_in=rate_in * slow,
        rate_out=schedule.out_rate(rate_in),
        duration=shots.span,
        cuts=shots.cuts,
        seconds=time.perf_counter() - started,
        warnings=(*remarks, *opened.warnings, *sink.warnings),
    )


def load(computing: Computing) -> tuple[str, Any]:
    """The model's name and an `Interpolator` of it.

    Raises:
      ValueError: there is no such model, or it has no weights here; or an option is out of range.
    """
    from vfi_jax import registry
    from vfi_jax import weights as library
    from vfi_jax.interpolation import Interpolator

    model, config = computing.model, computing.config
    if isinstance(model, tuple):
        module, variables = model
    elif computing.weights is not None:
        _check_weights(computing.weights, registry.list_models())
        module, variables = library.load(computing.weights, system=model, **config)
    else:
        model = model or library.DEFAULT
        module, variables = library.load(model, **config)
    name = model if isinstance(model, str) else type(module).__module__.rpartition(".")[2]
    interpolator = Interpolator(
        module,
        variables,
        padding=computing.padding,
        ensemble=computing.ensemble,
        tile=computing.tile,
        overlap=computing.overlap,
        memory=None if computing.memory is None else int(computing.memory),
        batch=computing.batch,
        devices=computing.devices,
    )
    return name, interpolator


def _run(opened, sink, interpolator, schedule, threshold, show):
    """Read, interpolate and write at once; returns the shots and how many frames were written."""
    written = 0
    try:
        with (
            Behind(DEPTH) as behind,
            contextlib.closing(ahead(opened.items(alpha=sink.alpha), depth=DEPTH)) as items,
        ):
            frames = _carrying(items, sink, behind)
            transfer = opened.picture.tags.transfer
            shots = Shots(frames, interpolator, schedule, threshold=threshold, transfer=transfer)
            for frame in shots:
                behind(sink.write, frame.pixels, frame.time, frame.duration)
                written += 1
                show(written)
        sink.finish()
    except av.FFmpegError as error:
        raise OSError(f"{error.strerror} while {sink.codec} was written") from error
    return shots, written


def _carrying(items: Iterable[Frame | av.Packet], sink: Sink, behind: Behind) -> Iterator[Frame]:
    """The frames among `items`; packets between them go straight to the sink."""
    for item in items:
        if isinstance(item, Frame):
            yield item
        else:
            behind(sink.copy, item)


def _check_weights(weights, known):
    """Refuses what is neither a path nor the name of a system."""
    if weights not in known and not Path(weights).exists():
        raise ValueError(
            f"weights {os.fspath(weights)!r}: there is no such file or folder; --model (model=) "
            "takes the name of a system"
        )


def _scaled(picture, scale):
    return dataclasses.replace(picture, width=scale * picture.width, height=scale * picture.height)


def _counting(progress, expected):
    return (lambda done: progress(done, expected)) if progress else (lambda done: None)


def _check_times(interpolator, schedule, rate):
    """Refuses a schedule whose hardest time cannot be reached."""
    try:
        interpolator.check([schedule.finest(rate)])
    except ValueError as error:
        if not schedule.open:
            raise
        raise ValueError(
            f"shutter {float(schedule.open * 360):g} with {schedule.divisions} samples: {error}; "
            "180 or 90 with 4, 8 or 16 samples may do, or a model of any time"
        ) from error


def _expected(opened: Source, schedule: Schedule):
    """Output frames, about; None where the source does not say how many frames it has."""
    if not opened.count:
        return None
    if schedule.rate is None:
        return (opened.count - 1) * schedule.multi + 1
    return round(opened.count / opened.picture.average * schedule.rate)


def _mean_rate(frames, span, nominal):
    """The nominal rate, or, where it is not what came (variable frame rates), the mean."""
    mean = frames / span
    return nominal if abs(mean / nominal - 1) < Fraction(1, 20) else mean
