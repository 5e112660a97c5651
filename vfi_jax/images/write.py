"""Writing PNG, JPEG, WebP, TIFF and EXR files."""

import io
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image

from vfi_jax.images import exr
from vfi_jax.images.colour import PLAIN, Colour, insert

# Suffixes by format.
FORMATS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "tiff": ".tif", "exr": ".exr"}
WRITTEN = {
    **{suffix: name for name, suffix in FORMATS.items()},
    ".jpeg": "jpeg",
    ".tiff": "tiff",
}
OF_8_BITS = ("jpeg", "webp")  # formats limited to 8 bits
OF_FLOATS = ("tiff", "exr")
OPAQUE = ("jpeg",)
WITHOUT_CHUNKS = ("jpeg", "webp", "tiff")  # store an ICC profile, but no other colour tags
JPEG_QUALITY = 95  # visually lossless with full chroma


def write(path: Path, pixels: np.ndarray, *, colour: Colour = PLAIN) -> None:
    """Write an image in the format of its suffix, with its colour space; all but JPEG are lossless.

    Args:
      path: .png .jpg .jpeg .webp .tif .tiff .exr.
      pixels: `[H, W, 1, 3 or 4]`: uint8, also uint16 for PNG and TIFF, also float32 for TIFF; only
        float32 for EXR.
      colour: the colour space.

    Raises:
      ValueError: the format does not support the shape or type.
    """
    form = WRITTEN[path.suffix.lower()]
    _check(pixels, form)
    if form == "exr":
        exr.write(path, pixels, colour.primaries)
    elif form == "png":
        path.write_bytes(insert(encode(pixels), colour))
    elif form == "tiff":
        _write_tiff(path, pixels, colour.profile)
    else:
        path.write_bytes(_pillow(pixels, form, colour.profile))


def encode(pixels: np.ndarray) -> bytes:
    """Encode `[H, W, 1, 3 or 4]` uint8 or uint16 as the bytes of a PNG file.

    Raises:
      ValueError: wrong shape or type.
    """
    _check(pixels, "png")
    if pixels.shape[-1] > 1:
        code = cv2.COLOR_RGBA2BGRA if pixels.shape[-1] == 4 else cv2.COLOR_RGB2BGR
        pixels = cv2.cvtColor(pixels, code)
    done, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ValueError(f"a frame of shape {pixels.shape} cannot be written as PNG")
    return data.tobytes()


def _check(pixels, form):
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3, 4):
        raise ValueError(f"an image must be [H, W, 1, 3 or 4], got {pixels.shape}")
    if form in OPAQUE and pixels.shape[-1] == 4:
        raise ValueError(f"{form.upper()} has no alpha; an image of it must be [H, W, 1 or 3]")
    types = {"png": "uint8 uint16", "tiff": "uint8 uint16 float32", "exr": "float32"}
    known = types.get(form, "uint8").split()
    if pixels.dtype.name not in known:
        raise ValueError(
            f"an image must be {' or '.join(known)} to be a {form.upper()}, got {pixels.dtype}"
        )


def _write_tiff(path, pixels, profile):
    # Floating-point colours are premultiplied by alpha, as in EXR.
    kind = "assocalpha" if pixels.dtype == np.float32 else "unassalpha"
    grey = pixels.shape[-1] == 1
    tifffile.imwrite(
        path,
        pixels[..., 0] if grey else pixels,
        photometric="minisblack" if grey else "rgb",
        extrasamples=[kind] if pixels.shape[-1] == 4 else None,
        compression="zlib",
        iccprofile=profile or None,
        metadata=None,
    )


def _pillow(pixels, form, profile):
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    how = (
        {"quality": JPEG_QUALITY, "subsampling": 0}
        if form == "jpeg"
        else {"lossless": True, "exact": True}
    )
    file = io.BytesIO()
    image.save(file, form, icc_profile=profile or None, **how)
    return file.getvalue()
