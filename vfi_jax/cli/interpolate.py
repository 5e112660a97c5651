"""Make a video smoother, or slow: new frames between its frames, all else as it was.

The source is any video that FFmpeg reads, or a folder of images; the target's suffix chooses the
container (.mp4 .m4v .mov .mkv .webm .gif .apng), none means a folder of PNG files. A GIF shows at
most 50 frames per second, so one of 30 is doubled with --fps 50. Time stamps are exact, also where
frames are not evenly spaced; audio, subtitles and colours are carried over. --slow 4 makes slow
motion in the place of a higher rate.
"""

import dataclasses
from typing import Annotated, Literal

import tyro

CONFIG = ("frames", "flow_scale")  # options of some models, by the names of their Config


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax interpolate`."""

    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SOURCE")]
    """The video, or a folder of images."""

    target: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TARGET")]
    """Where the new video goes: a file, or a folder (no suffix)."""

    multi: Annotated[int | None, tyro.conf.arg(aliases=["-x"])] = None
    """Output frames for each gap between input frames: 2, which doubles the rate, if not given; as
    many as --slow asks for where that is more."""

    fps: str | None = None
    """Output frames per second in place of --multi: 60, 59.94, 60000/1001."""

    slow: int = 1
    """Slow motion: how many times as long the output takes, at the source's frame rate if neither
    --multi nor --fps is given. Sound is left out then."""

    source_fps: str | None = None
    """Frames per second of a folder of images, which has none of its own; 24 if not given."""

    model: Annotated[str | None, tyro.conf.arg(aliases=["-m"])] = None
    """A system that `vfi-jax models` lists, such as sepconv/l1."""

    weights: str | None = None
    """The model's weights, where they are not stored: a checkpoint's folder or their authors'
    file."""

    frames: int | None = None
    """Input frames that are looked at together, by a model that takes any number, such as
    zooming_slow_mo; 4 there if not given."""

    flow_scale: float | None = None
    """Fraction of the resolution that RIFE, Practical-RIFE and IFRNet estimate flow at: 0.5 for the
    large motions of 4K."""

    ensemble: Literal["none", "flip2", "flip4"] = "none"
    """Average over turned and mirrored frames: better, and 2 or 4 times as slow."""

    scene_threshold: float = 0.5
    """Change between two frames, 0 to 1, above which they belong to different scenes; between
    those the earlier frame is repeated. 1 finds no cuts."""

    codec: str | None = None
    """Video encoder in place of the container's own, by FFmpeg's name: libsvtav1, h264_nvenc."""

    crf: float | None = None
    """Quality of the encoder; smaller is better and larger. If not given, 17 with libx264 and 19
    with H.264, HEVC and AV1 in hardware, which take it as their own."""

    tile: int | None = None
    """Cut frames into tiles of so many pixels; by default only those that exceed the memory."""

    memory: float | None = None
    """GiB that a device may use for one call; by default most of what it has."""

    batch: int | None = None
    """Pairs of frames that are computed at once; one for each device if not given."""

    overwrite: Annotated[bool, tyro.conf.arg(aliases=["-y"])] = False
    """Replace a target that exists."""


def run(args: Args) -> int:
    """Writes the target and prints what was done."""
    from vfi_jax.cli._progress import progress_bar
    from vfi_jax.video import interpolate_video

    options = {
        field.name: getattr(args, field.name)
        for field in dataclasses.fields(args)
        if field.name not in ("source", "target", "memory", *CONFIG)
    }
    given = {name: getattr(args, name) for name in CONFIG}
    with progress_bar("interpolating") as progress:
        report = interpolate_video(
            args.source,
            args.target,
            memory=args.memory and int(args.memory * 2**30),
            progress=progress,
            config={name: value for name, value in given.items() if value is not None},
            **options,
        )
    print(report)
    return 0
