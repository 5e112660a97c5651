"""Choice of encoder, pixel format and encoder options."""

import dataclasses
import platform
from collections.abc import Iterator
from fractions import Fraction

import av
import cv2

from vfi_jax.video import colour
from vfi_jax.video.options import Output
from vfi_jax.video.pyav import exact
from vfi_jax.video.source import Picture

# FFmpeg's container names by target suffix.
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
CONSTANT_RATE = ("avi", "mxf")  # containers without time stamps
# Frames/s of MXF: those whole numbers, and 1000/1001 of them.
WHOLE_MXF_RATES = 24, 25, 30, 48, 50, 60, 72, 75, 90, 96, 100, 120
BROADCAST_MXF_RATES = 24, 30, 48, 60, 72, 90, 96, 120

QP_TO_LAMBDA = 118  # FFmpeg's unit of -q:v (FF_QP2LAMBDA)
BEST_QUANTISER = f"{2 * QP_TO_LAMBDA}"  # MPEG-2 and MPEG-4: quantiser 2 of 31

# Default options of encoders: visually lossless at moderate speed.
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
# Profiles of encoders by pixel format: (the best profile, all profiles).
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

# Maximum crf (worst quality). Hardware encoders have the range of H.264 and HEVC.
WORST_CRF = {"libvpx-vp9": 63, "libsvtav1": 63}
USUAL_WORST_CRF = 51

# Hardware encoders with a quality option, whose scale differs slightly from libx264's crf.
HARDWARE = (
    *("h264_nvenc", "hevc_nvenc", "av1_nvenc"),
    *("h264_qsv", "hevc_qsv", "av1_qsv"),
    *("h264_amf", "hevc_amf"),
    *("h264_videotoolbox", "hevc_videotoolbox"),
)
HARDWARE_CRF = 19

# Hardware's pixel formats that differ only in the layout of planes.
INTERLEAVED = {"yuv420p": "nv12", "yuv420p10le": "p010le"}

AVX_512 = 13  # OpenCV's code of the CPU feature AVX-512 F (CV_CPU_AVX_512F)

LARGEST_MPEG4_TIMESCALE = 65535  # ticks per second, a 16-bit field of MPEG-4 part 2

# Minimum width and height. libx265 4.1 writes out of bounds at 10 bits and a width of 33 to 48.
SMALLEST = {"libx265": 64, "libsvtav1": 64}
SMALLEST_DNXHR = 256, 120  # width and height

NEED_EVEN = ("libx264", "libx265", "libsvtav1", "prores_ks")  # sizes with subsampled chroma


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How frames are encoded.

    Attributes:
      format_name: FFmpeg's name of the container.
      codec: FFmpeg's name of the encoder.
      pixel_format: FFmpeg's name of the encoder's input format.
      options: encoder options.
    """

    format_name: str
    codec: str
    pixel_format: str
    options: dict[str, str]


def choose(suffix: str, picture: Picture, output: Output = Output()) -> Encoding:
    """Choose the encoder for a container, and the pixel format that preserves most of a picture.

    Args:
      suffix: suffix of the target.
      picture: properties of the output.
      output: encoder, quality and options that replace the container's defaults.

    Raises:
      ValueError: the encoder does not exist, or does not support an option.
    """
    format_name = FORMATS[suffix.lower()]
    codec, crf = output.codec, output.crf
    try:
        encoder = av.Codec(codec or _default_codec(format_name, picture), "w")
    except (ValueError, av.FFmpegError) as error:
        raise ValueError(
            f"codec {codec!r} is not an encoder of this build of FFmpeg; "
            f"encoders are, for example, {', '.join(OPTIONS)}"
        ) from error
    codec = encoder.name  # such as libx264 for h264
    if not _large_enough(codec, picture):
        least = SMALLEST[codec]
        raise ValueError(
            f"{codec} needs at least {least}x{least}, got {picture.width}x{picture.height}"
        )
    options = {"chroma_sample_location": "left", **OPTIONS.get(codec, {})}
    if _in_hardware(codec):
        options |= _hardware(codec, HARDWARE_CRF if crf is None else crf)
    elif crf is not None:
        if "crf" not in options:
            able = ", ".join(name for name, known in OPTIONS.items() if "crf" in known)
            raise ValueError(
                f"crf is not supported by {codec}; it is by {able} and by h264, hevc and av1 in "
                "hardware, such as h264_nvenc"
            )
        options["crf"] = f"{crf:g}"
    worst = WORST_CRF.get(codec, USUAL_WORST_CRF)
    if crf is not None and not 0 <= crf <= worst:
        raise ValueError(f"crf must be 0 to {worst} for {codec}, got {crf:g}")
    if format_name == "avi" and codec in ("libx264", "libx265"):
        options["bf"] = "0"  # AVI stores frames in presentation order
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
    """The encoding with options that make its output reproducible to the byte.

    x264 (165) with AVX-512 gave different bytes in 8 of 30 runs beside XLA's threads, because of
    its macroblock tree; with AVX2, which every chip with AVX-512 has, in none.
    """
    if not (chosen.codec.startswith("libx264") and cv2.checkHardwareSupport(AVX_512)):
        return chosen
    options = _merged({"x264-params": "asm=avx2"}, chosen.options)
    return dataclasses.replace(chosen, options=options)


def check_rate(chosen: Encoding, rate: Fraction) -> None:
    """Check that a container and an encoder support a rate.

    Args:
      chosen: the encoding.
      rate: output frames per second.

    Raises:
      ValueError: one of them supports other rates only; the message names the nearest.
    """
    encoder = [exact(one) for one in av.Codec(chosen.codec, "w").frame_rates or ()]
    container = []
    if chosen.format_name == "mxf":
        broadcast = [Fraction(1000 * one, 1001) for one in BROADCAST_MXF_RATES]
        container = [*map(Fraction, WHOLE_MXF_RATES), *broadcast]
    for name, rates in ((chosen.codec, encoder), (chosen.format_name, container)):
        known = [one for one in rates if one and one in (container or rates)]
        if rates and rate not in rates:
            near = min(known, key=lambda one: abs(one - rate))
            raise ValueError(
                f"{name} does not support {float(rate):.6g} frames/s; the nearest that it does is "
                f"--fps {near} (fps=)"
            )


def time_base(codec: str, unit: Fraction, rate: Fraction) -> Fraction:
    """Time base of an encoder: the unit of its time stamps in seconds.

    Args:
      codec: FFmpeg's name of the encoder.
      unit: a unit of which every output time is a multiple.
      rate: output frames per second; times at this rate stay exact if the encoder's unit is
        coarser.
    """
    if av.Codec(codec, "w").canonical_name != "mpeg4":
        return unit
    if unit.denominator <= LARGEST_MPEG4_TIMESCALE:
        return unit
    finest = LARGEST_MPEG4_TIMESCALE // rate.numerator * rate.numerator
    return Fraction(1, finest or LARGEST_MPEG4_TIMESCALE)


def losses(picture: Picture, encoding: Encoding) -> Iterator[str]:
    """Yield a line for each property that an encoding loses or stores in an unusual way."""
    pixel_format = av.VideoFormat(encoding.pixel_format)
    encoder = av.Codec(encoding.codec, "w")
    quality_set = encoding.codec in OPTIONS or _in_hardware(encoding.codec)
    if encoder.lossy and not encoder.intra_only and not quality_set:
        yield f"{encoding.codec} uses its default bit rate, which may be low"
    bits = colour.bits_of(pixel_format)
    yield from picture.hdr.losses(encoding.codec)
    if picture.lossless and encoder.lossy and not _is_lossless(encoding):
        yield (
            f"the source is lossless and {encoding.codec} is lossy; --codec ffv1 with a .mkv "
            "target is lossless"
        )
    if bits < min(picture.bits, 10):
        yield f"{picture.bits} bits in, {bits} out: {encoding.codec} supports no more"
    if picture.alpha and not colour.has_alpha(pixel_format):
        yield "transparency is composited over black; .mov, .webm, .gif targets and folders keep it"
    wanted, written = _stored_chroma(picture), colour.chroma_of(pixel_format)
    if written < wanted:
        yield f"chroma {wanted} in, {written} out: {encoding.codec} supports no more"
    elif _chroma(encoding.codec, picture) != wanted:
        yield (
            f"odd size {picture.width}x{picture.height}: kept by chroma 4:4:4, which some players "
            "do not support"
        )


def is_hardware(codec: str) -> bool:
    """Whether an encoder needs special hardware."""
    return codec.endswith(("_nvenc", "_qsv", "_amf", "_videotoolbox", "_vaapi", "_mf", "_v4l2m2m"))


def _merged(options, more):
    """Merge options; lists of an encoder's private options (x265-params) are concatenated."""
    return options | {
        key: f"{options[key]}:{value}" if key.endswith("-params") and key in options else value
        for key, value in more.items()
    }


def _is_lossless(encoding):
    lossless = encoding.options.get("qp") == "0" or "lossless=1" in str(encoding.options)
    return lossless or (encoding.codec.startswith("libx264") and encoding.options["crf"] == "0")


def _of_profile(codec, offered, profile):
    """The pixel formats of a profile; of all profiles if it is None."""
    parts = [part for part, (_, names) in PROFILES[codec].items() if profile in (None, *names)]
    if not parts:
        known = ", ".join(name for _, names in PROFILES[codec].values() for name in names)
        raise ValueError(f"profile of {codec} must be one of {known}, got {profile!r}")
    return [name for name in offered if any(part in name for part in parts)]


def _in_hardware(codec):
    """Whether a hardware encoder has a quality option; VideoToolbox only on Apple silicon."""
    return codec in HARDWARE and (
        not codec.endswith("_videotoolbox") or platform.machine() == "arm64"
    )


def _hardware(codec, crf):
    """Options of a hardware encoder for a quality on the scale of crf."""
    family = codec.partition("_")[2]
    if family == "nvenc":  # cq 0 means automatic; a bit rate would limit the quality
        return {"rc": "vbr", "cq": f"{max(crf, 1):g}", "b": "0"}
    if family == "qsv":
        return {"global_quality": f"{max(round(crf), 1)}"}
    if family == "amf":
        return {"rc": "cqp", **dict.fromkeys(("qp_i", "qp_p"), f"{round(crf)}")}
    percent = min(max(100 - 2 * crf, 1), 100)  # VideoToolbox: higher is better
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
    """The pixel format of the encoder that preserves most of the picture."""
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
        chromas = ["420"]  # it lists others but rejects them
    depths = ["10le", "12le", ""] if deep else ["", "10le"]
    if picture.bits == 12:
        depths = ["12le", "10le", ""]
    if codec in HARDWARE and codec.startswith("h264"):
        depths = [""]  # they list 10 bits, which few chips support for H.264
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
        raise ValueError(f"codec {codec!r} supports none of the pixel formats that can be written")
    return found


def _chroma(codec, picture):
    chroma = _stored_chroma(picture)
    odd_width, odd_height = picture.width % 2, picture.height % 2
    odd = (chroma != "444" and odd_width) or (chroma == "420" and odd_height)
    return "444" if odd and codec in NEED_EVEN else chroma


def _stored_chroma(picture):
    return "420" if picture.chroma == "rgb" else picture.chroma
