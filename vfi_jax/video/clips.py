"""Short clips as arrays, for notebooks, demonstrations and tests."""

import contextlib
import itertools
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from vfi_jax.video import colour, targets
from vfi_jax.video.folder import Names
from vfi_jax.video.options import Output
from vfi_jax.video.read import open_source
from vfi_jax.video.source import Frame, Picture, Source
from vfi_jax.video.timing import Schedule, parse_rate
from vfi_jax.video.write import open_sink


def read_frames(
    path: str | os.PathLike, *, limit: int | None = None
) -> tuple[np.ndarray, list[Fraction]]:
    """Read all frames of a video file or a folder of images into memory.

    Args:
      path: the file or folder.
      limit: maximum number of frames.

    Returns:
      (`[N, H, W, 3]`: uint8, uint16 for more than 8 bits, float32 for floating-point images; times
      of the frames in seconds).

    Raises:
      ValueError: there is no video at `path`.
    """
    with contextlib.closing(open_source(Path(path))) as source:
        frames = (item for item in source.items(alpha=False) if isinstance(item, Frame))
        read = list(itertools.islice(frames, limit))
    return np.stack([frame.pixels for frame in read]), [frame.time for frame in read]


def write_frames(
    path: str | os.PathLike,
    frames: Iterable[np.ndarray],
    *,
    fps: str | float | Fraction = 30,
    crf: float | None = None,
    overwrite: bool = False,
) -> None:
    """Write frames as a video file or a folder of images.

    Args:
      path: the target; its suffix selects the container, as in `interpolate_video`.
      frames: `[H, W, 3 or 4]` uint8 or uint16 each, of equal shape and type.
      fps: frames per second.
      crf: quality of the encoder. Lower means better quality and larger files.
      overwrite: replace an existing target.

    Raises:
      ValueError: there are no frames, or `path` cannot be written.
    """
    rate, folder, path = parse_rate(fps), targets.is_folder(path), targets.named("path", path)
    output = Output(crf=crf, overwrite=overwrite)
    targets.check(None, path, folder=folder, overwrite=overwrite)
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError("frames must contain at least one frame, got none")
    height, width, channels = first.shape
    source = Source()
    source.picture = picture = Picture(
        width,
        height,
        rate=rate,
        average=rate,
        tick=1 / rate,
        bits=8 * first.dtype.itemsize,
        alpha=channels == 4,
        tags=colour.Tags(colour.FULL, colour.RGB),
    )
    with targets.staged(path, overwrite=overwrite) as temporary:
        names = Names() if folder else None
        sink = open_sink(temporary, source, picture, Schedule(multi=1), output, names=names)
        with contextlib.closing(sink):
            for index, pixels in enumerate(itertools.chain([first], frames)):
                sink.write(pixels, index / rate, 1 / rate)
            sink.finish()
