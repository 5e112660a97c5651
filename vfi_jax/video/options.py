"""Options of `interpolate_video`, shared by the library, the command line and the web page.

The attributes' descriptions are also the help texts of the command line.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, TypeVar

from vfi_jax import lookup
from vfi_jax.video.timing import Schedule, parse_moment, parse_rate

T = TypeVar("T")
MIB = 2**20  # bytes
LEAST_MEMORY = 16 * MIB  # below the need of any call
LEAST_TILE = 16  # pixels; smaller tiles would be only overlap
HIGHEST_RATE = 1000  # frames per second, well above current displays and cameras


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """When output frames are shown.

    Attributes:
      multi: Output frames per input frame. Default: 2, which doubles the rate, or --slow if larger.
      fps: Output frames per second in place of --multi: 60, 59.94 or 60000/1001.
      slow: Slow motion: how many times as long the output takes, at the source's frame rate if
        neither --multi nor --fps is given. Audio is left out unless --stretch-audio is given.
      stretch_audio: With --slow, make the audio as long as the video; the pitch stays.
      shutter: Motion blur: how long a shutter is open around each output frame, in degrees of 360,
        which is all of the frame's time. 0: no blur.
      samples: Steps into which the shutter time is divided, an even number. More steps are
        smoother where motion is fast.
      source_fps: Frames per second of images, which have no rate of their own. 24 if not given.
      gaps: What numbers mean that are missing in the names of images. time: the frames around them
        are that many steps apart, and the gap is filled. even: all images follow one another
        evenly.
      start: Where to begin in the source: seconds (12.5), a time (1:02:03.5) or the number of a
        frame (240f, from 0f on).
      end: Where to stop, likewise; the frame that is shown then is left out.
      dedup: For animation: a drawing that is held for two, three or four frames is taken as one
        frame, and the motion to the next drawing fills all of that time. The duration stays, and
        the output has a constant rate. Pans and still scenes are not changed.
      loop: Also interpolate from the last frame to the first, for a video or GIF that plays in a
        loop.
      scene_threshold: Change between two frames, 0 to 1, above which they belong to different
        scenes. The earlier frame is repeated between scenes. 1: no cuts are detected.
    """

    multi: int | None = None
    fps: str | float | Fraction | None = None
    slow: int = 1
    stretch_audio: bool = False
    shutter: float | Fraction = 0
    samples: int = 8
    source_fps: str | float | Fraction | None = None
    gaps: Literal["time", "even"] = "time"
    start: str | float | Fraction | None = None
    end: str | float | Fraction | None = None
    dedup: bool = False
    loop: bool = False
    # Cuts score at least 0.6, fast motion below 0.35.
    scene_threshold: float = 0.5

    def __post_init__(self):
        for name in ("multi", "slow"):
            value = getattr(self, name)
            if value is not None and (value != int(value) or value < 1):
                hint = "; or give fps" if name == "multi" else ""
                raise ValueError(f"{name} must be a whole number of at least 1, got {value}{hint}")
        if self.multi is not None and self.fps is not None:
            raise ValueError(f"give multi or fps, not both; got {self.multi} and {self.fps}")
        for name in ("fps", "source_fps"):
            if getattr(self, name) is not None:
                _check_rate(name, getattr(self, name))
        if self.gaps not in ("time", "even"):
            raise ValueError(f"gaps must be time or even, got {self.gaps!r}")
        for name in ("start", "end"):
            if getattr(self, name) is not None:
                parse_moment(name, getattr(self, name))
        if not 0 <= self.shutter <= 360:
            raise ValueError(f"shutter must be 0 to 360 degrees, got {self.shutter}")
        if self.samples < 2 or self.samples % 2:
            raise ValueError(f"samples must be an even number of at least 2, got {self.samples}")
        if not 0 <= self.scene_threshold <= 1:
            raise ValueError(f"scene_threshold must be 0 to 1, got {self.scene_threshold}")

    @property
    def schedule(self) -> Schedule:
        """The times of the output frames."""
        open_part = Fraction(str(self.shutter)) / 360
        divisions = int(self.samples) if self.shutter else 0
        if self.fps is not None:
            return Schedule(rate=parse_rate(self.fps), open=open_part, divisions=divisions)
        multi = max(2, int(self.slow)) if self.multi is None else int(self.multi)
        return Schedule(multi=multi, open=open_part, divisions=divisions)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Computing:
    """Options of the computation.

    Attributes:
      model: Name of a system, such as sepconv/l1; see `vfi-jax models`. In Python also the result
        of `load`.
      weights: The model's weights, if they are not in the weights folder: a checkpoint's folder or
        the authors' file.
      config: Fields of the model's Config to replace, such as {"flow_scale": 0.5} for RIFE.
      ensemble: Average over turned and mirrored frames. The result is better; flip2 takes twice and
        flip4 four times as long.
      padding: How frames are padded to a size that the model takes: tight, or as the authors' own
        scripts do, such as rife, practical-rife, sepconv, dain or film, as docs/protocols.md lists.
      tile: Cut frames into tiles of this many pixels. If not given, only frames that exceed the
        memory are cut.
      overlap: Pixels that neighbouring tiles share at least.
      memory: Bytes that one call may take on each device. If not given, most of what it has.
      batch: Input windows computed in one call. If not given, one per device.
      devices: JAX devices to run on. Default: all accelerators, otherwise the CPU.
    """

    model: str | tuple[Any, Any] | None = None
    weights: str | Any | None = None
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    ensemble: Literal["none", "flip2", "flip4"] = "none"
    padding: str | Any = "tight"
    tile: int | None = None
    overlap: int | None = None
    memory: float | None = None
    batch: int | None = None
    devices: Sequence[Any] | None = None

    def __post_init__(self):
        if self.memory is not None and self.memory < LEAST_MEMORY:
            raise ValueError(
                f"memory must be at least {LEAST_MEMORY / MIB:g} MiB, got "
                f"{self.memory / MIB:.3g} MiB; --memory counts in GiB, memory= in bytes"
            )
        if self.tile is not None and self.tile < LEAST_TILE:
            raise ValueError(f"tile must be at least {LEAST_TILE} pixels, got {self.tile}")
        if self.config and isinstance(self.model, tuple):
            raise ValueError("config needs a model's name; create a loaded one with its own")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Output:
    """Options of the output.

    Attributes:
      codec: Video encoder in place of the container's default, by FFmpeg's name, such as libsvtav1
        or h264_nvenc.
      crf: Quality of the encoder. Lower means better quality and larger files. Default: 17
        (libx264), 19 (H.264, HEVC and AV1 in hardware, on their own scale).
      preset: The encoder's trade-off between speed and file size, by its own names: ultrafast to
        veryslow (libx264, libx265), 0 to 13 (libsvtav1), p1 to p7 (nvenc).
      encoder_options: Further options of the encoder, KEY=VALUE, by FFmpeg's names, such as
        tune=film, profile=lt (ProRes) or x265-params=aq-mode=3. In Python also a mapping.
      pixel_format: What the encoder is given, by FFmpeg's name, such as yuv420p for players that
        know no 4:4:4 or 10 bits. If not given, the format that keeps most of the source.
      format: Format of a folder of images. If not given, png; exr or tiff for a source in floating
        point. jpeg is lossy and has 8 bits; webp has 8 bits.
      mask: Region in which new frames copy the source's pixels, for overlays, tickers and burnt-in
        subtitles: a box X,Y,WIDTH,HEIGHT in pixels from the top left, or an image of the video's
        size that is white where pixels are copied. Can be repeated.
      preview: Show the source at the left of the result, each frame side by side.
      audio: Keep the audio tracks.
      overwrite: Replace an existing target.
      resume: Keep finished parts of the output next to the target if the run is stopped, and
        continue from the parts of an earlier run of the same command. Frames are bit-identical to
        those of an uninterrupted run. For video files and folders.
      dry_run: Check everything and report what would be done; compute and write nothing.
    """

    codec: str | None = None
    crf: float | None = None
    preset: str | None = None
    encoder_options: Mapping[str, str] | Sequence[str] = ()
    pixel_format: str | None = None
    format: Literal["png", "jpeg", "webp", "tiff", "exr"] | None = None
    mask: Sequence[str] = ()
    preview: bool = False
    audio: bool = True
    overwrite: bool = False
    resume: bool = False
    dry_run: bool = False

    def __post_init__(self):
        self.options_of_encoder()

    @property
    def encodes(self) -> bool:
        """Whether an option is set that only video encoders support."""
        return any(
            (
                self.codec,
                self.crf is not None,
                self.preset,
                self.encoder_options,
                self.pixel_format,
            )
        )

    def options_of_encoder(self) -> dict[str, str]:
        """`preset` and `encoder_options` by FFmpeg's names.

        Raises:
          ValueError: one is not of the form KEY=VALUE.
        """
        given = self.encoder_options
        if not isinstance(given, Mapping):
            pairs = [text.partition("=") for text in given]
            for key, equals, value in pairs:
                if not (key and equals and value):
                    raise ValueError(f"encoder_options must be KEY=VALUE, got {key + equals!r}")
            given = {key: value for key, _, value in pairs}
        preset = {} if self.preset is None else {"preset": str(self.preset)}
        return preset | {key: str(value) for key, value in given.items()}


def gathered(kind: type[T], given: object) -> T:
    """One of the classes above, from an object with all of its fields (a command's arguments)."""
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: getattr(given, name) for name in names})


def replaced(groups: Sequence[Any], changes: Mapping[str, Any]) -> list[Any]:
    """Options with some fields replaced in the group that has them.

    Args:
      groups: instances of the classes above.
      changes: {field: value}.

    Raises:
      TypeError: none of the groups has such a field.
    """
    names = [{field.name for field in dataclasses.fields(group)} for group in groups]
    for name in changes:
        if not any(name in known for known in names):
            raise TypeError(lookup.unknown("option", name, sorted(set().union(*names))))
    return [
        dataclasses.replace(group, **{name: changes[name] for name in known & changes.keys()})
        for group, known in zip(groups, names, strict=True)
    ]


def _check_rate(name, value):
    if parse_rate(value) > HIGHEST_RATE:
        raise ValueError(f"{name} must be at most {HIGHEST_RATE} frames/s, got {value}")
