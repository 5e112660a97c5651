"""Which encoder writes a video, in which pixel format, with which options."""

import dataclasses
from collections.abc import Iterator

import av

from vfi_jax.video import colour
from vfi_jax.video.source import Picture

# Suffixes of targets, and FFmpeg's names of their containers.
FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".gif": "gif",
    ".apng": "apng",
}

# What each encoder is asked for: visually lossless at a sensible speed.
OPTIONS = {
    "libx264": {"crf": "17", "preset": "medium"},
    "libx265": {"crf": "18", "preset": "medium", "x265-params": "log-level=error"},
    "libvpx-vp9": {"crf": "22", "b": "0", "deadline": "good", "cpu-used": "3", "row-mt": "1"},
    "libsvtav1": {"crf": "22", "preset": "7"},
    "prores_ks": {"profile": "4444", "alpha_bits": "16"},
}

# Least width and height. libx265 (4.1) writes beyond its memory at 10 bits and a width of 33 to 48.
SMALLEST = {"libx265": 64, "libsvtav1": 64}

NEED_EVEN = ("libx264", "libx265", "libsvtav1", "prores_ks")  # where chroma is subsampled


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How pictures are encoded.

    Attributes:
      format_name: FFmpeg's name of the container.
      codec: FFmpeg's name of the encoder.
      pixel_format: FFmpeg's name of what it is given.
      options: of the encoder.
    """

    format_name: str
    codec: str
    pixel_format: str
    options: dict[str, str]


def choose(
    suffix: str, picture: Picture, *, codec: str | None = None, crf: float | None = None
) -> Encoding:
    """The encoder for a container and a picture, and the pixel format that keeps most of it.

    Args:
      suffix: of the target.
      picture: what is to be written.
      codec: FFmpeg's name of an encoder in place of the container's default.
      crf: quality in place of the encoder's default; smaller is better.

    Raises:
      ValueError: there is no such encoder, or it has no such quality.
    """
    format_name = FORMATS[suffix.lower()]
    codec = codec or _default_codec(format_name, picture)
    try:
        offered = av.Codec(codec, "w").video_formats or ()
    except (ValueError, av.FFmpegError) as error:
        raise ValueError(f"codec {codec!r} is not an encoder that FFmpeg has here") from error
    if not _large_enough(codec, picture):
        least = SMALLEST[codec]
        raise ValueError(f"{codec} needs {least}x{least}, got {picture.width}x{picture.height}")
    options = {"chroma_sample_location": "left", **OPTIONS.get(codec, {})}
    if crf is not None:
        if "crf" not in options:
            able = ", ".join(name for name, known in OPTIONS.items() if "crf" in known)
            raise ValueError(f"crf has no meaning for {codec}; it has for {able}")
        options["crf"] = f"{crf:g}"
    pixel_format = _pixel_format(codec, [known.name for known in offered], picture)
    return Encoding(format_name, codec, pixel_format, options)


def losses(picture: Picture, encoding: Encoding) -> Iterator[str]:
    """Lines for what an encoding does not keep, or keeps in an unusual way."""
    pixel_format = av.VideoFormat(encoding.pixel_format)
    bits = colour.bits_of(pixel_format)
    if bits < min(picture.bits, 10):
        yield f"{picture.bits} bits in, {bits} out: {encoding.codec} takes no more"
    if picture.alpha and not colour.has_alpha(pixel_format):
        yield "transparency is laid over black; .mov, .webm, .gif targets and folders keep it"
    wanted, written = _stored_chroma(picture), colour.chroma_of(pixel_format)
    if written < wanted:
        yield f"colour resolution {wanted} in, {written} out: {encoding.codec} takes no more"
    elif _chroma(encoding.codec, picture) != wanted:
        yield (
            f"odd size {picture.width}x{picture.height}: kept, in 4:4:4, which some players refuse"
        )


def _default_codec(format_name, picture):
    deep = picture.bits > 8
    if format_name == "apng":
        return "apng"
    if picture.alpha and format_name == "mov":
        return "prores_ks"
    if picture.alpha and format_name == "matroska":
        return "ffv1" if deep else "libvpx-vp9"
    if format_name == "webm":
        use_av1 = deep and not picture.alpha and _large_enough("libsvtav1", picture)
        return "libsvtav1" if use_av1 else "libvpx-vp9"
    return "libx265" if deep and _large_enough("libx265", picture) else "libx264"


def _large_enough(codec, picture):
    return min(picture.width, picture.height) >= SMALLEST.get(codec, 1)


def _pixel_format(codec, offered, picture):
    """The first that the encoder offers, in the order of what it would keep."""
    deep, alpha = picture.bits > 8, picture.alpha
    chromas = list(dict.fromkeys([_chroma(codec, picture), "444", "422", "420"]))
    if codec == "libvpx-vp9" and alpha:
        chromas = ["420"]  # it offers others, and refuses them
    depths = ["10le", "12le", ""] if deep else ["", "10le"]
    alphas = ["a", ""] if alpha else [""]
    wanted = [
        f"yuv{letter}{chroma}p{depth}"
        for letter in alphas
        for depth in depths
        for chroma in chromas
    ]
    rgb = {(False, False): "rgb24", (False, True): "rgba", (True, False): "rgb48be"}
    wanted.append(rgb.get((deep, alpha), "rgba64be"))
    found = next((name for name in wanted if name in offered), None)
    if found is None:
        raise ValueError(f"codec {codec!r} takes no pixel format that frames can be given in")
    return found


def _chroma(codec, picture):
    chroma = _stored_chroma(picture)
    odd_width, odd_height = picture.width % 2, picture.height % 2
    odd = (chroma != "444" and odd_width) or (chroma == "420" and odd_height)
    return "444" if odd and codec in NEED_EVEN else chroma


def _stored_chroma(picture):
    return "420" if picture.chroma == "rgb" else picture.chroma
