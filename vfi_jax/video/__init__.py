"""Whole videos: a file goes in, a smoother one comes out."""

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from vfi_jax.video import targets
from vfi_jax.video.background import Behind, ahead
from vfi_jax.video.clips import read_frames, write_frames
from vfi_jax.video.read import open_source
from vfi_jax.video.shots import Shots
from vfi_jax.video.sink import Sink
from vfi_jax.video.slow import Slowed
from vfi_jax.video.source import DEFAULT_RATE, Frame, Source
from vfi_jax.video.timing import Schedule, parse_rate
from vfi_jax.video.write import open_sink

__all__ = ["Report", "interpolate_video", "read_frames", "write_frames"]

SCENE_THRESHOLD = 0.5  # cuts score 0.6 and more, fast action below 0.35
DEPTH = 3  # frames read ahead, and written behind


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of a video; `print` shows it in a few lines.

    Attributes:
      source: what was read.
      target: what was written.
      model: what made the frames.
      codec: what encoded them.
      width: of the output, in pixels.
      height: of the output, in pixels.
      frames_in: frames read.
      frames_out: frames written.
      rate_in: frames per second of the source; its mean, where frames are not evenly spaced.
      rate_out: frames per second of the output, likewise.
      duration: of the output, in seconds; the source's, unless it was slowed.
      cuts: how many scene cuts were found, across which nothing is blended.
      seconds: how long it took, loading the model included.
      warnings: what the user should know, a line each.
    """

    source: Path
    target: Path
    model: str
    codec: str
    width: int
    height: int
    frames_in: int
    frames_out: int
    rate_in: Fraction
    rate_out: Fraction
    duration: Fraction
    cuts: int
    seconds: float
    warnings: tuple[str, ...] = ()

    @property
    def fps(self) -> float:
        """Output frames made per second of work."""
        return self.frames_out / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        facts = [
            f"{self.width}x{self.height}",
            f"{_rate(self.rate_in)} -> {_rate(self.rate_out)} frames/s",
            f"{self.frames_in} -> {self.frames_out} frames",
            f"{float(self.duration):.3f} s",
        ]
        if self.cuts:
            facts.append("1 scene cut" if self.cuts == 1 else f"{self.cuts} scene cuts")
        lines = [
            f"{self.source.name} -> {self.target}",
            ", ".join(facts),
            f"{self.model}, {self.codec}: {self.seconds:.1f} s, {self.fps:.1f} frames/s",
        ]
        return "\n".join(lines + [f"note: {warning}" for warning in self.warnings])


def interpolate_video(
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    model: str | tuple[Any, Any] | None = None,
    weights: str | os.PathLike | None = None,
    config: Mapping[str, Any] | None = None,
    multi: int | None = None,
    fps: str | float | Fraction | None = None,
    slow: int = 1,
    shutter: float | Fraction = 0,
    samples: int = 8,
    source_fps: str | float | Fraction | None = None,
    scene_threshold: float = SCENE_THRESHOLD,
    codec: str | None = None,
    crf: float | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
    **driver: Any,
) -> Report:
    """Make a video smoother, or slower: frames between its frames, everything else as it was.

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
      model: a name of `list_models`, or what `load` gives; None: the default model.
      weights: where the model's weights are, in place of where `load` finds them.
      config: fields of the model's Config to replace, such as {"frames": 7} for Zooming Slow-Mo or
        {"flow_scale": 0.5} for RIFE.
      multi: output frames per gap between input frames; by default 2, or `slow` where that is
        more, which keeps the frame rate.
      fps: output frames per second in place of `multi`, such as 60, "59.94" or "60000/1001".
      slow: slow motion: how many times as long the output takes. Sound is left out then.
      shutter: motion blur: for how much of an output frame's time a shutter is open around it, in
        degrees of 360; 0: each frame is of an instant. With `multi=1` the frame rate stays.
      samples: steps that this time is divided into, an even number: the scene is looked at where
        they meet, and the light adds up.
      source_fps: frames per second of a folder of images; 24 if not given.
      scene_threshold: change between two frames, 0 to 1, above which there is a cut between them,
        where the earlier frame is repeated; 1: never.
      codec: FFmpeg's name of a video encoder, such as "libsvtav1" or "h264_nvenc".
      crf: quality of the encoder, smaller is better; 17 by default with libx264. H.264, HEVC and
        AV1 in hardware (nvenc, qsv, amf, videotoolbox) take it as their own, 19 by default.
      overwrite: replace a target that exists.
      progress: called with (output frames written, output frames expected or None).
      **driver: options of `Interpolator`, such as tile=, memory= or batch=.

    Returns:
      What was done.

    Raises:
      ValueError: an argument is wrong, there is no video in `source`, or `target` cannot be
        written; the message says which and what to do. Nothing is written then.
    """
    started = time.perf_counter()
    folder = targets.is_folder(target)
    source, target = Path(source), Path(target)
    slow = _whole("slow", slow)
    schedule = _schedule(max(2, slow) if multi is None else multi, fps, shutter, samples)
    if not 0 <= scene_threshold <= 1:
        raise ValueError(f"scene_threshold must be 0 to 1, got {scene_threshold}")
    rate = None if source_fps is None else parse_rate(source_fps)
    if rate is not None and source.is_file():
        raise ValueError("source_fps is for a folder of images; a video has a rate of its own")
    targets.check(source, target, folder=folder, overwrite=overwrite)
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(contextlib.closing(open_source(source, rate=rate)))
        opened = Slowed(opened, slow) if slow > 1 else opened
        name, interpolator = _interpolator(model, weights, config or {}, driver)
        remarks = []
        if rate is None and source.is_dir() and not folder:
            remarks.append(f"images are shown at {DEFAULT_RATE} frames/s; --source-fps sets it")
        _check_times(interpolator, schedule, opened.picture.rate)
        picture = _scaled(opened.picture, interpolator.contract.scale)
        staged = stack.enter_context(targets.staged(target))
        sink = open_sink(staged, opened, picture, schedule, folder=folder, codec=codec, crf=crf)
        stack.enter_context(contextlib.closing(sink))
        show = _counting(progress, _expected(opened, schedule))
        shots, written = _run(opened, sink, interpolator, schedule, scene_threshold, show)
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


def _interpolator(model, weights, config, options):
    """(name, Interpolator) of what the user asked for."""
    from vfi_jax import weights as library
    from vfi_jax.interpolation import Interpolator

    if isinstance(model, tuple):
        if config:
            raise ValueError("config needs a model's name; create a loaded one with its own")
        module, variables = model
    elif weights is not None:
        module, variables = library.load(weights, system=model, **config)
    else:
        model = model or library.DEFAULT
        module, variables = library.load(model, **config)
    name = model if isinstance(model, str) else type(module).__module__.rpartition(".")[2]
    return name, Interpolator(module, variables, **options)


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
            f"shutter {float(schedule.open * 360):g} with {schedule.samples} samples: {error}; "
            "180 or 90 with 4, 8 or 16 samples may do, or a model of any time"
        ) from error


def _schedule(multi, fps, shutter, samples):
    if not 0 <= shutter <= 360:
        raise ValueError(f"shutter must be 0 to 360 degrees, got {shutter}")
    if samples < 2 or samples % 2:
        raise ValueError(f"samples must be an even number of at least 2, got {samples}")
    blur = {"open": Fraction(str(shutter)) / 360, "samples": int(samples)} if shutter else {}
    if fps is not None:
        return Schedule(rate=parse_rate(fps), **blur)
    return Schedule(multi=_whole("multi", multi, otherwise="; or give fps"), **blur)


def _whole(name, value, otherwise=""):
    if value != int(value) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value}{otherwise}")
    return int(value)


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


def _rate(rate):
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")
