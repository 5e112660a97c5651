"""Every image format round-trips."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from vfi_jax import images
from vfi_jax.images import exr
from vfi_jax.images.colour import Colour, of_primaries

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
BT709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)


def _icc(profile):
    data = b"iCCP" + b"icc\0\0" + zlib.compress(profile)
    return Colour(struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data)))


def _pixels(kind, channels):
    values = np.random.default_rng(0).random((5, 7, channels))
    if kind == "f4":
        values[..., :3] *= values[..., 3:] if channels == 4 else 1
        return values.astype("f4")
    return (values * np.iinfo(kind).max).astype(kind)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".webp", "u1"), (".tif", "u1"), (".tiff", "u2"), (".tif", "f4"), (".exr", "f4")],
)
def test_lossless_formats_round_trip(tmp_path, suffix, kind, channels):
    pixels, path = _pixels(kind, channels), tmp_path / f"x{suffix}"
    images.write(path, pixels)
    info = images.read_info(path)
    assert (info.bits, info.alpha, info.size) == (8 * pixels.itemsize, channels == 4, (7, 5))
    assert info.linear == (suffix == ".exr")
    # WebP has no grey; Pillow stores three channels alike.
    assert info.grey == (channels == 1 and suffix != ".webp")
    back = images.read(path, bits=info.bits, alpha=info.alpha)
    wanted = pixels.repeat(3, axis=-1) if channels == 1 else pixels
    # A TIFF's alpha is divided out and multiplied in again.
    error = 1e-6 if (suffix, channels) == (".tif", 4) and kind == "f4" else 0
    np.testing.assert_allclose(back, wanted, rtol=0, atol=error)


def test_a_jpeg_is_close_to_its_source(tmp_path):
    smooth = np.linspace(0, 255, 48 * 3).reshape(6, 8, 3).astype(np.uint8)
    images.write(tmp_path / "x.jpg", smooth)
    assert np.abs(images.read(tmp_path / "x.jpg").astype(int) - smooth).max() < 12
    assert Image.open(tmp_path / "x.jpg").layer[1][1:3] == (1, 1)  # chroma in full
    images.write(tmp_path / "grey.jpg", smooth[..., :1])
    assert images.read_info(tmp_path / "grey.jpg").grey


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_profiles_are_stored_in_every_format(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    images.write(path, _pixels("u1", 3), colour=_icc(PROFILE))
    found = images.read_info(path).colour
    assert (found.profile, found.space) == (PROFILE, "RGB")


def test_primaries_are_kept_in_an_exr(tmp_path):
    images.write(tmp_path / "x.exr", _pixels("f4", 3), colour=of_primaries(BT709))
    np.testing.assert_allclose(images.read_info(tmp_path / "x.exr").colour.primaries, BT709)


def test_an_exr_keeps_linear_light_and_is_displayed_with_the_srgb_curve(tmp_path):
    light = np.float32([[[-0.5, 0, 0.001], [0.2140412, 1, 1e4]]])
    images.write(tmp_path / "x.exr", light)
    assert (images.read(tmp_path / "x.exr", bits=32) == light).all()
    shown = images.read(tmp_path / "x.exr", bits=16)
    assert shown[0].tolist() == [[0, 0, round(0.01292 * 65535)], [32768, 65535, 65535]]


def test_the_display_window_is_read(tmp_path):
    import OpenEXR

    header = {
        "dataWindow": (np.int32([-1, 1]), np.int32([2, 2])),
        "displayWindow": (np.int32([0, 0]), np.int32([4, 3])),
    }
    with OpenEXR.File(header, {"Y": np.arange(1, 9, dtype=np.float16).reshape(2, 4)}) as file:
        file.write(str(tmp_path / "x.exr"))
    assert images.read_info(tmp_path / "x.exr").size == (5, 4)
    shown = images.read(tmp_path / "x.exr", bits=32)[..., 0]
    assert shown.tolist() == [[0] * 5, [2, 3, 4, 0, 0], [6, 7, 8, 0, 0], [0] * 5]


@pytest.mark.parametrize(
    ("name", "pixels", "message"),
    [
        ("x.jpg", np.zeros((2, 2, 4), np.uint8), "JPEG has no alpha"),
        ("x.webp", np.zeros((2, 2, 3), np.uint16), "must be uint8 to be a WEBP, got uint16"),
        ("x.exr", np.zeros((2, 2, 3), np.uint8), "must be float32 to be a EXR, got uint8"),
        ("x.png", np.zeros((2, 2, 3), np.float32), "must be uint8 or uint16 to be a PNG"),
    ],
)
def test_unsupported_pixels_of_a_format_are_rejected(tmp_path, name, pixels, message):
    with pytest.raises(ValueError, match=message):
        images.write(tmp_path / name, pixels)
    assert not list(tmp_path.iterdir())


def test_damaged_exr_files_and_other_channels_are_reported(tmp_path):
    (tmp_path / "x.exr").write_bytes(exr.MAGIC + b"nothing")
    with pytest.raises(ValueError, match=r"x\.exr cannot be read as an image"):
        images.read(tmp_path / "x.exr")
    import OpenEXR

    with OpenEXR.File({}, {"depth.Z": np.zeros((2, 2), np.float32)}) as file:
        file.write(str(tmp_path / "z.exr"))
    with pytest.raises(ValueError, match=r"channels must be R, G, B .*; got depth\.Z"):
        images.read(tmp_path / "z.exr")
