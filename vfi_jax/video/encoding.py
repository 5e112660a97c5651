"""Which encoder writes a video, in which pixel format, with which options."""

import dataclasses
import platform
from collections.abc import Iterator
from fractions import Fraction

import av
import cv2

from vfi_jax.video import colour
from vfi_jax.video.options import Output
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
    ".avi": "avi",
    ".ts": "mpegts",
    ".mxf": "mxf",
}
CONSTANT_RATE = ("avi", "mxf")  # containers that count frames and store no times

QP_TO_LAMBDA = 118  # FFmpeg's unit of -q:v (FF_QP2LAMBDA)
BEST_QUANTISER = f"{2 * QP_TO_LAMBDA}"  # of MPEG-2 and MPEG-4: 2 of 31

# What each encoder is asked for: visually lossless at a sensible speed.
OPTIONS = {
    "libx264": {"crf": "17", "preset": "medium"},
    "libx264rgb": {"crf": "17", "preset": "medium"},
    "libx265": {"crf": "18", "preset": "medium", "x265-params": "log-level=error"},
    "libvpx-vp9": {"crf": "22", "b": "0", "deadline": "good", "cpu-used": "3", "row-mt": "1"},
    "libsvtav1": {"crf": "22", "preset": "7"},
    "prores_ks": {"alpha_bits": "16"},
    "dnxhd": {},
    "mpeg2video": {"flags": "+qscale", "global_quality": BEST_QUANTISER},
    "mpeg4": {"flags": "+qscale", "global_quality": BEST_QUANTISER},
}
# Of encoders with a profile for each chroma: the pixel formats of a profile, the best one.
PROFILES = {
    "prores_ks": {
        "422": ("hq", ("hq", "standard", "lt", "proxy")),
        "444": ("4444", ("4444", "4444xq")),
    },
    "dnxhd": {
        "422p10": ("dnxhr_hqx", ("dnxhr_hqx",)),
        "422p": ("dnxhr_hq", ("dnxhr_hq", "dnxhr_sq", "dnxhr_lb")),
        "444p10": ("dnxhr_444", ("dnxhr_444",)),
    },
}

# Highest crf, which is the worst quality; encoders in hardware end at that of H.264 and HEVC.
WORST_CRF = {"libvpx-vp9": 63, "libsvtav1": 63}
USUAL_WORST_CRF = 51

# Encoders in hardware that are asked for a quality, and for which; it is not quite libx264's crf.
HARDWARE = (
    *("h264_nvenc", "hevc_nvenc", "av1_nvenc"),
    *("h264_qsv", "hevc_qsv", "av1_qsv"),
    *("h264_amf", "hevc_amf"),
    *("h264_videotoolbox", "hevc_videotoolbox"),
)
HARDWARE_CRF = 19

# Hardware's names of pixel formats that differ in how planes are laid out alone.
INTERLEAVED = {"yuv420p": "nv12", "yuv420p10le": "p010le"}

AVX_512 = 13  # OpenCV's number of AVX-512 F among what a CPU can do (CV_CPU_AVX_512F)

LARGEST_MPEG4_TIMESCALE = 65535  # ticks per second, a 16-bit field of MPEG-4 part 2

# Least width and height. libx265 (4.1) writes beyond its memory at 10 bits and a width of 33 to 48.
SMALLEST = {"libx265": 64, "libsvtav1": 64}
SMALLEST_DNXHR = 256, 120  # width and height

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


def choose(suffix: str, picture: Picture, output: Output = Output()) -> Encoding:
    """The encoder for a container and a picture, and the pixel format that keeps most of it.

    Args:
      suffix: of the target.
      picture: what is to be written.
      output: which encoder, quality and options in place of the container's default.

    Raises:
      ValueError: there is no such encoder, or it has no such quality.
    """
    format_name = FORMATS[suffix.lower()]
    codec, crf = output.codec, output.crf
    try:
        encoder = av.Codec(codec or _default_codec(format_name, picture), "w")
    except (ValueError, av.FFmpegError) as error:
        raise ValueError(f"codec {codec!r} is not an encoder that FFmpeg has here") from error
    codec = encoder.name  # libx264 of h264
    if not _large_enough(codec, picture):
        least = SMALLEST[codec]
        raise ValueError(f"{codec} needs {least}x{least}, got {picture.width}x{picture.height}")
    options = {"chroma_sample_location": "left", **OPTIONS.get(codec, {})}
    if _in_hardware(codec):
        options |= _hardware(codec, HARDWARE_CRF if crf is None else crf)
    elif crf is not None:
        if "crf" not in options:
            able = ", ".join(name for name, known in OPTIONS.items() if "crf" in known)
            raise ValueError(
                f"crf has no meaning for {codec}; it has for {able} and h264, hevc and av1 in "
                "hardware, such as h264_nvenc"
            )
        options["crf"] = f"{crf:g}"
    worst = WORST_CRF.get(codec, USUAL_WORST_CRF)
    if crf is not None and not 0 <= crf <= worst:
        raise ValueError(f"crf must be 0 to {worst} for {codec}, got {crf:g}")
    if format_name == "avi" and codec in ("libx264", "libx265"):
        options["bf"] = "0"  # AVI stores frames in the order in which they are shown
    options = _merged(options, picture.hdr.options(codec))
    options = _merged(options, given := output.options_of_encoder())
    offered = [one.name for one in encoder.video_formats or ()]
    if codec in PROFILES:
        offered = _of_profile(codec, offered, given.get("profile"))
    pixel_format = _pixel_format(codec, offered, picture, output.pixel_format)
    if codec in PROFILES and "profile" not in given:
        known = PROFILES[codec].items()
        options["profile"] = next(best for part, (best, _) in known if part in pixel_format)
    return Encoding(format_name, codec, pixel_format, options)


def repeatable(chosen: Encoding) -> Encoding:
    """The encoding without what makes other bytes of the same frames.

    x264 (165) with AVX-512 did so in 8 of 30 runs beside XLA's threads, in its macroblock tree
    alone; with AVX2, which chips with AVX-512 have too, in none.
    """
    if not (chosen.codec.startswith("libx264") and cv2.checkHardwareSupport(AVX_512)):
        return chosen
    options = _merged({"x264-params": "asm=avx2"}, chosen.options)
    return dataclasses.replace(chosen, options=options)


def time_base(codec: str, unit: Fraction, rate: Fraction) -> Fraction:
    """The unit of an encoder's time stamps, in seconds.

    Args:
      codec: FFmpeg's name of the encoder.
      unit: what every output time is a multiple of.
      rate: output frames per second, whose times stay exact where the encoder's unit is coarser.
    """
    if av.Codec(codec, "w").canonical_name != "mpeg4":
        return unit
    if unit.denominator <= LARGEST_MPEG4_TIMESCALE:
        return unit
    finest = LARGEST_MPEG4_TIMESCALE // rate.numerator * rate.numerator
    return Fraction(1, finest or LARGEST_MPEG4_TIMESCALE)


def losses(picture: Picture, encoding: Encoding) -> Iterator[str]:
    """Lines for what an encoding does not keep, or keeps in an unusual way."""
    pixel_format = av.VideoFormat(encoding.pixel_format)
    encoder = av.Codec(encoding.codec, "w")
    quality_set = encoding.codec in OPTIONS or _in_hardware(encoding.codec)
    if encoder.lossy and not encoder.intra_only and not quality_set:
        yield f"{encoding.codec} writes at its own default bit rate, which may be low"
    bits = colour.bits_of(pixel_format)
    yield from picture.hdr.losses(encoding.codec)
    if picture.lossless and encoder.lossy and not _is_lossless(encoding):
        yield f"the source is lossless and {encoding.codec} is not; --codec ffv1 in .mkv is"
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


def is_hardware(codec: str) -> bool:
    """Whether an encoder needs a chip that few machines have."""
    return codec.endswith(("_nvenc", "_qsv", "_amf", "_videotoolbox", "_vaapi", "_mf", "_v4l2m2m"))


def _merged(options, more):
    """Options, of which those that hold an encoder's own options are joined."""
    return options | {
        key: f"{options[key]}:{value}" if key.endswith("-params") and key in options else value
        for key, value in more.items()
    }


def _is_lossless(encoding):
    lossless = encoding.options.get("qp") == "0" or "lossless=1" in str(encoding.options)
    return lossless or (encoding.codec.startswith("libx264") and encoding.options["crf"] == "0")


def _of_profile(codec, offered, profile):
    """The pixel formats of a profile; of all where none is given."""
    parts = [part for part, (_, names) in PROFILES[codec].items() if profile in (None, *names)]
    if not parts:
        known = ", ".join(name for _, names in PROFILES[codec].values() for name in names)
        raise ValueError(f"profile of {codec} must be one of {known}, got {profile!r}")
    return [name for name in offered if any(part in name for part in parts)]


def _in_hardware(codec):
    """Whether an encoder in hardware takes a quality; VideoToolbox does on Apple's own chips."""
    return codec in HARDWARE and (
        not codec.endswith("_videotoolbox") or platform.machine() == "arm64"
    )


def _hardware(codec, crf):
    """Options of an encoder in hardware for a quality; smaller is better."""
    family = codec.partition("_")[2]
    if family == "nvenc":  # 0 means automatic; a bit rate would be a ceiling
        return {"rc": "vbr", "cq": f"{max(crf, 1):g}", "b": "0"}
    if family == "qsv":
        return {"global_quality": f"{max(round(crf), 1)}"}
    if family == "amf":
        return {"rc": "cqp", **dict.fromkeys(("qp_i", "qp_p"), f"{round(crf)}")}
    percent = min(max(100 - 2 * crf, 1), 100)  # of VideoToolbox, where larger is better
    return {"flags": "+qscale", "global_quality": f"{round(percent * QP_TO_LAMBDA)}"}


def _default_codec(format_name, picture):
    deep = picture.bits > 8
    if format_name == "apng":
        return "apng"
    if format_name == "avi":
        return "ffv1" if deep or picture.alpha else "mpeg4"
    if format_name == "mxf":
        width, height = SMALLEST_DNXHR
        return "dnxhd" if picture.width >= width and picture.height >= height else "mpeg2video"
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


def _pixel_format(codec, offered, picture, requested):
    """The first that the encoder offers, in the order of what it would keep."""
    if requested is not None:
        if requested not in offered:
            raise ValueError(
                f"pixel_format of {codec} must be one of {', '.join(offered)}, got {requested!r}"
            )
        return requested
    deep, alpha = picture.bits > 8, picture.alpha
    chroma = _chroma(codec, picture)
    finer = [one for one in ("420", "422", "444") if one >= chroma]
    chromas = list(dict.fromkeys([*finer, "444", "422", "420"]))
    if codec == "libvpx-vp9" and alpha:
        chromas = ["420"]  # it offers others, and refuses them
    depths = ["10le", "12le", ""] if deep else ["", "10le"]
    if picture.bits == 12:
        depths = ["12le", "10le", ""]
    if codec in HARDWARE and codec.startswith("h264"):
        depths = [""]  # they list 10 bits, which hardly any chip has for H.264
    alphas = ["a", ""] if alpha else [""]
    wanted = [
        f"yuv{letter}{chroma}p{depth}"
        for letter in alphas
        for depth in depths
        for chroma in chromas
    ]
    wanted = [one for name in wanted for one in (name, INTERLEAVED.get(name, name))]
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
