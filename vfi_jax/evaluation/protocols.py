"""The conventions of published tables; only numbers of the same protocol are comparable."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from vfi_jax import lookup


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All settings that affect a score, apart from model and data.

    Channel order is not part of it: models take RGB and convert it themselves if their weights
    expect BGR.

    Attributes:
      padding: padding of the Interpolator.
      ensemble: test-time augmentation of the Interpolator.
      rounding: rounding of the prediction before scoring: "round" or "truncate" to 8 bits, or
        "none" (clipped only).
      ssim: convention of `metrics.ssim`.
      channels: channels of PSNR and SSIM: "rgb", or the Y of `metrics.luma`: "studio" or "full".
      masked: PSNR only inside the published motion mask.
      error: convention of `metrics.interpolation_error`, on 8-bit values.
      select: input frames of a clip: "ends", the listed inputs or the first and the last; "every
        second", as for Zooming Slow-Mo.
      mean: units of the overall mean: "sequences", or the means of "groups" of them, such as the
        videos that triplets come from.
      data: the data set that the protocol is quoted for; it also works with any other.
      source: source of the conventions.
    """

    padding: str = "tight"
    ensemble: str = "none"
    rounding: str = "round"
    ssim: str = "rife"
    channels: str = "rgb"
    masked: bool = False
    error: str = "absolute"
    select: str = "ends"
    mean: str = "sequences"
    data: str = ""
    source: str = ""


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        "default": Protocol(source="not from a paper: tight padding, rounding, SSIM as in RIFE"),
        "sepconv": Protocol(
            padding="sepconv",
            rounding="truncate",
            ssim="skimage",
            data="middlebury",
            source="sniklaus/sepconv-slomo benchmark.py, its improved padding",
        ),
        "sepconv-paper-padding": Protocol(
            padding="sepconv-paper",
            rounding="truncate",
            ssim="skimage",
            data="middlebury",
            source="sniklaus/sepconv-slomo benchmark.py, its paper padding",
        ),
        "dain": Protocol(
            padding="dain",
            ssim="rife",
            data="middlebury",
            source="baowenbo/DAIN demo_MiddleBury.py",
        ),
        "rife-vimeo": Protocol(
            data="vimeo90k/triplet", source="hzwer/ECCV2022-RIFE benchmark/Vimeo90K.py"
        ),
        "rife-ucf101": Protocol(data="ucf101", source="hzwer/ECCV2022-RIFE benchmark/UCF101.py"),
        "rife-middlebury": Protocol(
            padding="middlebury-rife",
            data="middlebury",
            source="hzwer/ECCV2022-RIFE benchmark/MiddleBury_Other.py",
        ),
        # HD.py replicates rows at top and bottom: 24 for 720, 4 for 1080 and 16 for 544 rows give
        # multiples of 64; widths already are.
        "rife-hd": Protocol(
            padding="centred-64",
            ssim="skimage",
            channels="full",
            mean="groups",
            data="hd",
            source="hzwer/ECCV2022-RIFE benchmark/HD.py, which computes only PSNR",
        ),
        "ema": Protocol(
            padding="centred-32",
            ensemble="flip2",
            rounding="none",
            data="vimeo90k/triplet",
            source="MCG-NJU/EMA-VFI benchmark/Vimeo90K.py: TTA on; small models switch it off",
        ),
        "ema-snu-film": Protocol(
            padding="centred-32",
            ensemble="flip2",
            rounding="none",
            data="snu_film/hard",
            source="MCG-NJU/EMA-VFI benchmark/SNU_FILM.py, for models with flow_scale 0.5; small "
            "models switch TTA off",
        ),
        "ema-xiph": Protocol(
            padding="centred-16",
            ensemble="flip2",
            ssim="skimage",
            data="xiph/4k",
            source="MCG-NJU/EMA-VFI benchmark/Xiph.py, for models with flow_scale 0.5; small "
            "models switch TTA off",
        ),
        "ifrnet": Protocol(
            rounding="none",
            data="vimeo90k/triplet",
            source="ltkong218/IFRNet benchmarks/Vimeo90K.py and UCF101.py",
        ),
        "ifrnet-middlebury": Protocol(
            padding="middlebury-rife",
            rounding="none",
            data="middlebury",
            source="ltkong218/IFRNet benchmarks/Middlebury_Other.py; its IE rounds both frames",
        ),
        "ifrnet-snu-film": Protocol(
            padding="centred-20",
            rounding="none",
            data="snu_film/hard",
            source="ltkong218/IFRNet benchmarks/SNU_FILM.py, for models with flow_scale 0.8",
        ),
        "upr-net": Protocol(
            rounding="none",
            data="vimeo90k/triplet",
            source="srcn-ivl/UPR-Net tools/benchmark_*.py; the model itself pads; "
            "4K1000FPS is for flow_scale 0.25",
        ),
        "amt": Protocol(
            rounding="none",
            data="vimeo90k/triplet",
            source="MCG-NKU/AMT benchmarks/vimeo90k.py and ucf101.py",
        ),
        "amt-snu-film": Protocol(
            padding="centred-20",
            rounding="none",
            data="snu_film/hard",
            source="MCG-NKU/AMT benchmarks/snu_film.py, for models with flow_scale 0.8",
        ),
        "amt-xiph": Protocol(
            padding="centred-32",
            rounding="none",
            data="xiph/4k",
            source="MCG-NKU/AMT benchmarks/xiph.py, for models with flow_scale 0.5; also xiph/2k",
        ),
        "film": Protocol(
            padding="film",
            rounding="none",
            ssim="tf",
            data="vimeo90k/triplet",
            source="google-research/frame-interpolation losses and eval",
        ),
        "gmfss": Protocol(
            padding="gmfss",
            rounding="truncate",
            source="98mxr/GMFSS_Fortuna inference_video.py: resized, not padded; no table",
        ),
        "zsm-vid4": Protocol(
            padding="zsm",
            rounding="none",
            ssim="matlab",
            channels="studio",
            select="every second",
            data="vid4",
            source="Mukosame/Zooming-Slow-Mo-CVPR-2020 codes/test.py; SSIM on Y as in its paper",
        ),
        "dvf-ucf101-masked": Protocol(
            rounding="none",
            ssim="skimage",
            masked=True,
            data="ucf101",
            source="liuziwei7/voxel-flow eval_voxelflow.m: PSNR inside the motion mask; SSIM and "
            "IE here use the whole frame",
        ),
        "xiph-2k": Protocol(
            ssim="skimage", data="xiph/2k", source="softmax-splatting benchmark_xiph.py, resized"
        ),
        "xiph-4k": Protocol(
            ssim="skimage", data="xiph/4k", source="softmax-splatting benchmark_xiph.py, cropped"
        ),
        "x-test": Protocol(
            ssim="skimage",
            data="x4k1000fps/4k",
            source="JihyongOh/XVFI: 7 frames between 0 and 32; its SSIM uses Y, this one RGB",
        ),
        "snu-film": Protocol(
            padding="centred-32",
            rounding="none",
            data="snu_film/hard",
            source="MCG-NJU/EMA-VFI benchmark/SNU_FILM.py, without its TTA",
        ),
    }
)


def named(name: str) -> Protocol:
    """The protocol with this name.

    Raises:
      ValueError: the name is unknown; the message suggests the closest names.
    """
    if name not in PROTOCOLS:
        raise ValueError(lookup.unknown("protocol", name, PROTOCOLS))
    return PROTOCOLS[name]
