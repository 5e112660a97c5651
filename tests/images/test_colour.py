"""The colour space is copied with the pixels."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from vfi_jax import images

PICTURE = np.full((4, 6, 3), 90, np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)  # of Adobe RGB


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def carried(path, tmp_path):
    """Colour data that Pillow finds in a copied image."""
    info = images.read_info(path)
    images.write(tmp_path / "copy.png", images.read(path), colour=info.colour)
    with Image.open(tmp_path / "copy.png") as copy:
        np.testing.assert_array_equal(np.asarray(copy), images.read(path))
        return copy.info


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_icc_profiles_are_copied(tmp_path, suffix):
    Image.fromarray(PICTURE).save(tmp_path / f"x{suffix}", icc_profile=SRGB)
    assert carried(tmp_path / f"x{suffix}", tmp_path)["icc_profile"] == SRGB
    colour = images.read_info(tmp_path / f"x{suffix}").colour
    assert colour.fits(grey=False)
    assert not colour.fits(grey=True)


def test_gamma_and_primaries_of_a_png_are_copied(tmp_path):
    images.write(tmp_path / "plain.png", PICTURE)
    data = (tmp_path / "plain.png").read_bytes()
    values = struct.pack(">8I", *(round(one * 100_000) for one in PRIMARIES))
    chunks = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"cHRM", values)
    (tmp_path / "x.png").write_bytes(data[:33] + chunks + data[33:])
    info = carried(tmp_path / "x.png", tmp_path)
    assert info["gamma"] == 0.45455
    assert info["chromaticity"] == pytest.approx(PRIMARIES)


def test_primaries_of_a_tiff_are_copied(tmp_path):
    tags = {318: PRIMARIES[:2], 319: PRIMARIES[2:]}
    Image.fromarray(PICTURE).save(tmp_path / "x.tif", tiffinfo=tags)
    info = carried(tmp_path / "x.tif", tmp_path)
    assert info["chromaticity"] == pytest.approx(PRIMARIES)


def test_images_without_colour_data_get_none(tmp_path):
    images.write(tmp_path / "x.png", PICTURE)
    assert images.read_info(tmp_path / "x.png").colour == images.PLAIN
