"""Interpolation of a video file: reading, computing and writing run concurrently."""

import contextlib
import dataclasses
import functools
import importlib.metadata
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

import vfi_jax
from vfi_jax import images
from vfi_jax.video import encoding, targets
from vfi_jax.video.background import Behind, ahead
from vfi_jax.video.chunks import Chunks, Driver, Outside
from vfi_jax.video.drawings import Drawings
from vfi_jax.video.folder import choose_names, holds_floats
from vfi_jax.video.light import LinearLight
from vfi_jax.video.loading import Loaded, flow_scale_for, load
from vfi_jax.video.opening import checked, open_with
from vfi_jax.video.options import Computing, Output, Timing, replaced
from vfi_jax.video.originals import Originals, read_mask
from vfi_jax.video.report import Report
from vfi_jax.video.resumable import open_resumable
from vfi_jax.video.segments import FRAMES, begin_job, source_digest
from vfi_jax.video.shots import Shots
from vfi_jax.video.sink import Sink
from vfi_jax.video.source import DEFAULT_RATE, FLOAT, Frame, Source
from vfi_jax.video.stages import DECODE, ENCODE, WAITING, Stages
from vfi_jax.video.timing import Schedule
from vfi_jax.video.write import open_sink

LOG = logging.getLogger(__name__)
DEPTH = 3  # frames that are read in advance, and frames that wait for writing


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
    """Interpolate a video, for a higher frame rate or slow motion.

        vfi_jax.interpolate_video("in.mp4", "out.mp4", fps=60, model="rife/m", crf=20)

    Time stamps are exact, also of unevenly spaced frames, and the duration does not change: N
    frames at `multi=2` become 2N - 1, of which the last has the duration of the source's last.
    Audio, subtitles, chapters, metadata, colour tags and pixel aspect ratio are kept, and 10-bit
    video remains 10-bit. Rotated video is turned upright; interlaced video is deinterlaced.
    Original and new frames pass through the same colour conversion, which avoids flicker. The
    target is complete or absent. Memory does not grow with the length.

    Args:
      source: a video that FFmpeg can read, a folder of images in natural order, or a template of
        image files such as shots/img_%04d.png.
      target: .mp4 .m4v .mov .mkv .webm .gif .apng .avi .ts .mxf, a folder (no suffix) of images, or
        a template such as shots/new_%04d.png. A GIF is limited to 50 frames/s: doubling 30 needs
        fps=50.
      timing: presentation times of the output frames.
      computing: the model and how it runs.
      output: encoding and the target.
      progress: called with (output frames written, output frames expected or None).
      **options: fields of `Timing`, `Computing` and `Output`, such as multi=, fps=, slow=, model=,
        weights=, batch=, codec=, crf= or overwrite=; they replace the fields of these groups.

    Returns:
      The report: sizes, rates, counts and notes.

    Raises:
      ValueError: an argument is wrong, `source` is not a video, or `target` cannot be written; the
        message names the argument and the remedy. Nothing is written then.
      TypeError: unknown option.
    """
    timing, computing, output = replaced((timing, computing, output), options)
    return interpolate_with(
        functools.partial(load, computing), source, target, timing, computing, output, progress
    )


def interpolate_with(
    loading: Callable[[float], Loaded],
    source: str | os.PathLike,
    target: str | os.PathLike,
    timing: Timing,
    computing: Computing,
    output: Output,
    progress: Callable[[int, int | None], None] | None = None,
    *,
    share: range | None = None,
) -> Report:
    """`interpolate_video` with a model that is loaded once for several videos.

    Args:
      loading: returns the model of `computing` for a flow scale, as `load` does; called once the
        source is open.
      source: see `interpolate_video`.
      target: see `interpolate_video`.
      timing: see `interpolate_video`.
      computing: see `interpolate_video`.
      output: see `interpolate_video`.
      progress: see `interpolate_video`.
      share: numbers of the segments to compute, with `output.resume`. They stay in the workspace
        for a later run that joins all, and the target is not written. Default: all.
    """
    started = time.perf_counter()
    paths = checked(source, target, timing, output)
    folder = paths.template is not None or targets.is_folder(target)
    schedule, slow = timing.schedule, int(timing.slow)
    stages = Stages()
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(contextlib.closing(open_with(paths.source, timing, output)))
        loaded = loading(flow_scale_for(opened.picture.width, opened.picture.height))
        # Targets without time stamps would lose gaps and the time of held drawings.
        counted = encoding.FORMATS.get(paths.target.suffix.lower()) in encoding.CONSTANT_RATE
        if opened.gaps or timing.dedup or counted:
            schedule = dataclasses.replace(schedule, rate=schedule.out_rate(opened.picture.rate))
        remarks = []
        if loaded.flow_scale != 1:
            remarks.append(
                f"large frames: flow is estimated at flow scale {loaded.flow_scale:g}; "
                "--flow-scale 1 uses the full resolution"
            )
        if timing.source_fps is None and not opened.timed and not folder:
            remarks.append(f"images are shown at {DEFAULT_RATE} frames/s; --source-fps sets it")
        if opened.picture.colour.space and not folder:
            remarks.append("the images' colour profile is left out; only folders of images keep it")
        _check_times(loaded.interpolator, schedule, opened.picture.rate)
        mask = read_mask(output.mask, opened.picture.width, opened.picture.height)
        picture = _scaled(opened.picture, loaded.interpolator.contract.scale, output)
        names = choose_names(paths.template, output.format, picture) if folder else None
        displayed = None
        if picture.bits == FLOAT and not holds_floats(names, picture):
            displayed = functools.partial(images.displayed, linear=picture.linear)
            picture = picture.displayed()
            remarks.append("values outside 0 to 1 are clipped; EXR and TIFF keep them")
        originals = Originals(mask, preview=output.preview, then=displayed)
        staged = stack.enter_context(_staged(paths.target, output, paths.names, join=share is None))
        sink: Sink
        driver: Driver = loaded.interpolator
        if opened.picture.linear:
            driver = LinearLight(driver)
        if output.resume and not output.dry_run:
            reopen = functools.partial(open_with, paths.source, timing, output)
            sink = kept = open_resumable(
                staged, opened, picture, schedule, output, names=names, reopen=reopen
            )
            stack.enter_context(contextlib.closing(kept))
            begin_job(staged.parent, _job(paths.source, timing, computing, output, loaded))
            done = kept.segments.done
            skipped = done if share is None else Outside(share, done)
            driver = Chunks(driver, size=FRAMES, done=skipped, reach=loaded.reach)
            if done:
                remarks.append(f"resumed: {sum(done.values())} frames were already done")
        else:
            sink = open_sink(staged, opened, picture, schedule, output, names=names)
            stack.enter_context(contextlib.closing(sink))
        expected = _expected(opened, schedule, loop=timing.loop)
        count = Count(opened.count, expected, (opened.count or 0) / opened.picture.average)
        if not output.dry_run:
            LOG.info("compiling %s", _described(loaded, opened.picture))
            show = _counting(progress, expected)
            ran = _run(opened, sink, driver, schedule, timing, originals, stages, show, share)
            count = ran if share is None else count
    if count.frames_in == 1:
        remarks.append("the source has one frame, so there was nothing to interpolate")
    if count.held:
        remarks.append(
            f"{count.held} of {count.frames_in} frames were repeats; motion fills their time"
        )
    if count.moved:
        remarks.append(
            f"{count.moved} times in uneven gaps were moved to the nearest times that "
            f"{loaded.name} reaches"
        )
    rate_in = _mean_rate(count, picture.rate)
    return Report(
        source=paths.source,
        target=paths.target,
        model=loaded.name,
        codec=sink.codec,
        width=picture.width,
        height=picture.height,
        frames_in=count.frames_in,
        frames_out=count.frames_out,
        rate_in=rate_in * slow,
        rate_out=schedule.out_rate(rate_in),
        duration=count.span,
        cuts=count.cuts,
        seconds=0.0 if output.dry_run else time.perf_counter() - started,
        busy={} if output.dry_run else stages.shares(),
        warnings=(*remarks, *opened.warnings, *sink.warnings),
    )


@dataclasses.dataclass(frozen=True)
class Count:
    """Counts of a run, or those expected before it.

    Attributes:
      frames_in: number of frames read; None if unknown.
      frames_out: number of frames written; None if unknown.
      span: duration in seconds.
      cuts: number of scene cuts.
      moved: number of times that were moved to reachable ones.
      held: number of repeated frames that were dropped.
    """

    frames_in: int | None
    frames_out: int | None
    span: Fraction
    cuts: int = 0
    moved: int = 0
    held: int = 0


def count_frames(source: Path, timing: Timing, output: Output) -> int | None:
    """Approximate number of output frames, from the header of the source; None if unknown.

    Raises:
      ValueError: the source cannot be read.
    """
    with contextlib.closing(open_with(source, timing, output)) as opened:
        return _expected(opened, timing.schedule, loop=timing.loop)


@contextlib.contextmanager
def _staged(target, output, names, *, join):
    """Path where the output is prepared; a dry run leaves nothing."""
    if output.dry_run:
        with tempfile.TemporaryDirectory(prefix="vfi_jax-") as folder:
            yield Path(folder) / target.name
    else:
        with targets.staged(
            target, overwrite=output.overwrite, keep=output.resume, names=names, join=join
        ) as staged:
            yield staged


def _job(source, timing, computing, output, loaded):
    """Everything on which the output of a resumable run depends."""
    given = dataclasses.replace(output, overwrite=False)
    versions = [vfi_jax.__version__, av.__version__, importlib.metadata.version("jaxlib")]
    return {
        "source": source_digest(source),
        "timing": dataclasses.asdict(timing),
        "model": loaded.name,
        "weights": loaded.digest(),
        "computing": repr(dataclasses.replace(computing, model=None)),
        "output": dataclasses.asdict(given),
        "versions": versions,
    }


def _run(opened, sink, driver, schedule, timing, originals, stages, show, share):
    """Read, interpolate and write concurrently; returns the counts."""
    written = held = 0
    stop = None if share is None else FRAMES * share.stop
    try:
        with (
            Behind(DEPTH) as behind,
            contextlib.closing(
                ahead(stages.items(DECODE, opened.items(alpha=sink.alpha)), depth=DEPTH)
            ) as items,
        ):
            waited_for = stages.items(WAITING, items)
            frames: Any = originals.passing(_carrying(waited_for, sink, behind))
            if timing.dedup:
                frames = drawings = Drawings(frames, opened.picture.rate, originals.mask)
            transfer = opened.picture.tags.transfer
            shots = Shots(
                frames,
                driver,
                schedule,
                threshold=timing.scene_threshold,
                transfer=transfer,
                loop=timing.loop,
            )
            for frame in shots:
                pixels = frame.pixels
                if pixels is not None:  # None: its segment is done
                    pixels = originals(pixels, frame.time)
                encode = (ENCODE, sink.write, pixels, frame.time, frame.duration)
                stages.call(WAITING, behind, stages.call, *encode)
                written += 1
                if written == 1:
                    stages.begin()  # the first frame waits for compilation
                show(written)
                if written == stop:
                    break
        finish = sink.finish if share is None else sink.end
        stages.call(WAITING, stages.call, ENCODE, finish)
        held = drawings.dropped if timing.dedup else 0
    except av.FFmpegError as error:
        raise OSError(f"{error.strerror} during encoding with {sink.codec}") from error
    frames_in = shots.frames_in + held
    return Count(frames_in, written, shots.span, shots.cuts, shots.moved, held)


def _carrying(items: Iterable[Frame | av.Packet], sink: Sink, behind: Behind) -> Iterator[Frame]:
    """Yield the frames among `items`; pass packets to the sink."""
    for item in items:
        if isinstance(item, Frame):
            yield item
        else:
            behind(sink.copy, item)


def _described(loaded, picture):
    """Model, frame size and what differs from the defaults, for the log."""
    text = f"{loaded.name} for {picture.width}x{picture.height}"
    if loaded.flow_scale != 1:
        text += f" at flow scale {loaded.flow_scale:g}"
    devices = loaded.interpolator.devices
    return text if len(devices) == 1 else f"{text} on {len(devices)} devices"


def _scaled(picture, scale, output):
    """Properties of the output, for a model that upscales or a side-by-side preview."""
    if output.mask and scale > 1:
        raise ValueError("mask requires a model that keeps the frame size; this one upscales")
    width, height = scale * picture.width, scale * picture.height
    return dataclasses.replace(picture, width=width * (2 if output.preview else 1), height=height)


def _counting(progress, expected):
    return (lambda done: progress(done, expected)) if progress else (lambda done: None)


def _check_times(interpolator, schedule, rate):
    """Check that the model can reach all times of a schedule."""
    try:
        interpolator.check([schedule.finest(rate)])
    except ValueError as error:
        if not schedule.open:
            raise
        raise ValueError(
            f"shutter {float(schedule.open * 360):g} with {schedule.divisions} samples: {error}; "
            "try 180 or 90 with 4, 8 or 16 samples, or a model that predicts any time"
        ) from error


def _expected(opened: Source, schedule: Schedule, *, loop: bool):
    """Approximate number of output frames; None if the source has no frame count."""
    if not opened.count:
        return None
    if schedule.rate is None:
        gaps = opened.count if loop else opened.count - 1
        return gaps * schedule.multi + (not loop)
    return round(opened.count / opened.picture.average * schedule.rate)


def _mean_rate(count, nominal):
    """The nominal rate; the mean rate if they differ (variable frame rate)."""
    mean = count.frames_in / count.span if count.frames_in else nominal
    return nominal if abs(mean / nominal - 1) < Fraction(1, 20) else mean
