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
LARGEST_FACTOR = 1000  # of slow motion: a second takes a quarter of an hour


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """Presentation times of output frames.

    Attributes:
      multi: Output frames per input frame. Default: 2, which doubles the rate, or --slow if larger.
      fps: Output frames per second in place of --multi: 60, 59.94 or 60000/1001.
      slow: Slow motion: how many times as long the output takes, at the source's frame rate if
        neither --multi nor --fps is given. Audio is left out unless --stretch-audio is given.
      stretch_audio: With --slow, make the audio as long as the video; the pitch stays.
      shutter: Motion blur: shutter angle in degrees; 360 is the whole time of an output frame. 0:
        no blur.
      samples: Number of steps into which the shutter time is divided, even. More steps make fast
        motion smoother.
      source_fps: Frames per second of images, which have no rate. Default: 24.
      gaps: Meaning of missing numbers in the names of images. time: a gap of that many frames,
        which is filled. even: all images are evenly spaced.
      start: Start in the source: seconds (12.5), a time (1:02:03.5) or the number of a frame (240f;
        the first is 0f).
      end: End in the source, likewise; the frame shown at that time is not included.
      dedup: Remove repeated frames, for animation and pulldown. A drawing held for two, three or
        four frames becomes one frame, and motion to the next drawing fills the time. The duration
        does not change, and the output has a constant rate. Pans and still scenes are not changed.
      loop: Also interpolate from the last frame to the first, for a video or GIF that plays in a
        loop.
      scene_threshold: Change between two frames, 0 to 1, above which they belong to different
        scenes. Between scenes the earlier frame is repeated. 1: no cuts are detected.
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
    # Cuts have a change of at least 0.6, fast motion of less than 0.35.
    scene_threshold: float = 0.5

    def __post_init__(self):
        for name in ("multi", "slow"):
            value = getattr(self, name)
            if value is not None and value not in range(1, LARGEST_FACTOR + 1):
                hint = "; or give fps" if name == "multi" else ""
                raise ValueError(
                    f"{name} must be a whole number from 1 to {LARGEST_FACTOR}, got {value}{hint}"
                )
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
      weights: Weights of the model in place of those in the weights folder: a checkpoint folder or
        the authors' file.
      config: Fields of the model's Config to replace, such as {"flow_scale": 0.5} for RIFE.
      ensemble: Test-time augmentation: average over flipped frames. Better, but flip2 takes twice
        and flip4 four times as long.
      padding: Padding of frames to a size that the model supports: tight, or that of the authors'
        scripts, such as rife, practical-rife, sepconv, dain or film (docs/protocols.md).
      tile: Split frames into tiles of this many pixels. Default: only frames that exceed the memory
        limit are split.
      overlap: Minimum overlap of neighbouring tiles in pixels. Default: 1/15 of the longer side
        (256 for 4K), at most 1/4 of a tile, and at least 128.
      memory: Memory limit per call and device in bytes. Default: most of the device's memory.
      batch: Number of input windows per call. Default: one per device.
      dtype: Type of the convolutions. bfloat16 is faster on GPUs and TPUs and needs less memory;
        flow and pixels stay in float32.
      precision: Precision of the products in float32 convolutions. high and default are faster on
        recent NVIDIA GPUs (both TF32) and on TPUs (three passes and one pass of bfloat16); on a CPU
        all three are equal.
      devices: Numbers of the devices to run on, such as 0,1; windows are distributed among them. In
        Python also JAX devices. Default: all accelerators, otherwise the CPU.
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
    dtype: Literal["float32", "bfloat16"] = "float32"
    precision: Literal["highest", "high", "default"] = "highest"
    devices: str | Sequence[Any] | None = None

    def __post_init__(self):
        if self.memory is not None and self.memory < LEAST_MEMORY:
            raise ValueError(
                f"memory must be at least {LEAST_MEMORY / MIB:g} MiB, got "
                f"{self.memory / MIB:.3g} MiB; --memory counts in GiB, memory= in bytes"
            )
        if self.tile is not None and self.tile < LEAST_TILE:
            raise ValueError(f"tile must be at least {LEAST_TILE} pixels, got {self.tile}")
        if self.dtype not in ("float32", "bfloat16"):
            raise ValueError(f"dtype must be float32 or bfloat16, got {self.dtype!r}")
        if self.precision not in ("highest", "high", "default"):
            raise ValueError(f"precision must be highest, high or default, got {self.precision!r}")
        of_the_model = {
            "config": self.config,
            "dtype": self.dtype != "float32",
            "precision": self.precision != "highest",
        }
        for name, is_set in of_the_model.items():
            if is_set and isinstance(self.model, tuple):
                raise ValueError(f"{name} needs a model's name; a loaded model has its own")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Output:
    """Options of the output.

    Attributes:
      codec: Video encoder in place of the container's default, by FFmpeg's name, such as libsvtav1
        or h264_nvenc.
      crf: Quality of the encoder. Lower means better quality and larger files. Default: 17
        (libx264), 19 (H.264, HEVC and AV1 in hardware, on their own scale).
      preset: Encoder preset, a trade-off between speed and file size: ultrafast to veryslow
        (libx264, libx265), 0 to 13 (libsvtav1), p1 to p7 (nvenc).
      encoder_options: Further encoder options KEY=VALUE, by FFmpeg's names, such as tune=film,
        profile=lt (ProRes) or x265-params=aq-mode=3. In Python also a mapping.
      pixel_format: Pixel format of the encoder, by FFmpeg's name, such as yuv420p for players that
        do not support 4:4:4 or 10 bits. Default: the format that preserves most of the source.
      format: Format of a folder of images. Default: png; exr or tiff for a floating-point source.
        jpeg is lossy and has 8 bits; webp has 8 bits.
      mask: Region in which new frames copy the source's pixels, for overlays, tickers and burnt-in
        subtitles: a box X,Y,WIDTH,HEIGHT in pixels from the top left, or an image of the video's
        size that is white where pixels are copied. Can be repeated.
      preview: Write the source and the result side by side.
      audio: Keep the audio tracks.
      overwrite: Replace an existing target.
      resume: Keep finished parts of the output next to the target if the run is stopped, and
        continue from the parts of an earlier run of the same command. Frames are bit-identical to
        those of an uninterrupted run. For video files and folders.
      dry_run: Check everything and print the expected report; compute and write nothing.
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
        """Whether an option is set that applies only to video encoders."""
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
        """`preset` and `encoder_options` as {FFmpeg's name: value}.

        Raises:
          ValueError: an option does not have the form KEY=VALUE.
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
    """Create one of the classes above from an object with all of its fields, such as `Args`."""
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: getattr(given, name) for name in names})


def replaced(groups: Sequence[Any], changes: Mapping[str, Any]) -> list[Any]:
    """Replace fields of options, each in the group that has it.

    Args:
      groups: instances of the classes above.
      changes: {field: value}.

    Raises:
      TypeError: no group has such a field.
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
