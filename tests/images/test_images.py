from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from vfi_jax import images

from .tiffs import tiff

PICTURE = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)


def write(path, data):
    path.write_bytes(data)
    return path


def test_an_image_of_another_size_is_named(tmp_path):
    images.write(tmp_path / "0.png", PICTURE)
    images.write(tmp_path / "1.png", PICTURE[:-1])
    with pytest.raises(ValueError, match=r"1\.png is 12x7, but 0\.png is 12x8"):
        images.inspect(images.list_images(tmp_path))


@pytest.mark.parametrize("content", [b"", b"text", b"II*\0", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_a_file_that_is_not_an_image_is_named(tmp_path, content):
    path = write(tmp_path / "0.png", content)
    for reads in (images.read, images.read_info):
        with pytest.raises(ValueError, match=r"0\.png cannot be read as an image"):
            reads(path)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_a_truncated_image_is_named(tmp_path, suffix):
    Image.fromarray(PICTURE).save(tmp_path / f"x{suffix}")
    data = (tmp_path / f"x{suffix}").read_bytes()
    write(tmp_path / f"x{suffix}", data[: len(data) // 2])
    with pytest.raises(ValueError, match=rf"x\{suffix} cannot be read as an image"):
        images.read(tmp_path / f"x{suffix}")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_truncated_image_of_sixteen_bits_is_named(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 65536, (64, 64), np.uint16)
    path = tmp_path / f"x{suffix}"
    Image.fromarray(pixels).save(path)
    data = path.read_bytes()
    for size in (len(data) // 2, len(data) - 200):
        with pytest.raises(ValueError, match=rf"x\{suffix} cannot be read as an image: .*damaged"):
            images.read(write(path, data[:size]))


@pytest.mark.parametrize("mode", ["P", "1", "L", "LA", "CMYK", "RGBA", "I;16"])
def test_any_mode_becomes_rgb(tmp_path, mode):
    grey = Image.fromarray(PICTURE).convert("L")
    if mode == "I;16":
        image, wanted = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), grey
    else:
        image = Image.fromarray(PICTURE).convert(mode)
        wanted = image
    path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    image.save(path)
    np.testing.assert_array_equal(images.read(path), np.asarray(wanted.convert("RGB")))
    assert images.read_info(path).grey == (mode in ("1", "L", "I;16"))


SAMPLES = {  # (bits, form): values from black to white, with what they are in 16 bits
    (10, 1): ([0, 1, 512, 1023], [0, 64, 32800, 65535]),
    (12, 1): ([0, 1, 2048, 4095], [0, 16, 32776, 65535]),
    (14, 1): ([0, 1, 8192, 16383], [0, 4, 32770, 65535]),
    (16, 1): ([0, 1, 32768, 65535], [0, 1, 32768, 65535]),
    (16, 2): ([0, 1, 16384, 32767], [0, 2, 32769, 65535]),
    (32, 2): ([0, 65536, 2**30, 2**31 - 1], [0, 2, 32768, 65535]),
    (32, 3): ([0, 0.25, 0.5, 1], [0, 16384, 32768, 65535]),
    (64, 3): ([0, 0.25, 0.5, 1], [0, 16384, 32768, 65535]),
}
TYPES = {1: np.uint16, 2: {16: np.int16, 32: np.int32}, 3: {32: "f4", 64: "f8"}}


def samples(bits, form, channels):
    values, wanted = SAMPLES[bits, form]
    kind = TYPES[form] if form == 1 else TYPES[form][bits]
    values, wanted = np.array([values[:3], values[1:]]), np.array([wanted[:3], wanted[1:]])
    if channels > 1:  # all different
        values = np.stack([np.roll(values, c, axis=1) for c in range(channels)], axis=-1)
        wanted = np.stack([np.roll(wanted, c, axis=1) for c in range(channels)], axis=-1)
    return values.astype(kind), wanted.astype(np.uint16)


@pytest.mark.parametrize("options", [{}, {"deflate": True}, {"order": ">"}], ids=str)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("bits", "form"), SAMPLES)
def test_samples_are_scaled_by_the_depth_of_the_file(tmp_path, bits, form, channels, options):
    values, wanted = samples(bits, form, channels)
    path = write(tmp_path / "x.tif", tiff([values], bits, form=form, **options))
    info = images.read_info(path)
    assert (info.size, info.bits, info.grey, info.alpha) == (
        (3, 2),
        32 if form == 3 else 16,
        channels == 1,
        channels == 4,
    )
    back = images.read(path, bits=16, alpha=channels == 4)
    if channels == 1:
        wanted = np.dstack([wanted] * 3)
    np.testing.assert_array_equal(back, wanted)
    np.testing.assert_array_equal(
        images.read(path, alpha=channels == 4), np.rint(wanted / 257).astype(np.uint8)
    )


@pytest.mark.parametrize(("bits", "form"), [(8, 1), *SAMPLES])
def test_white_is_zero_is_inverted(tmp_path, bits, form):
    values, wanted = (np.uint8([[0, 9, 255]]),) * 2 if bits == 8 else samples(bits, form, 1)
    path = write(tmp_path / "x.tif", tiff([values], bits, form=form, photometric=0))
    white = 255 if values.dtype == np.uint8 else 65535
    back = images.read(path, bits=8 if white == 255 else 16)
    # Floats are turned before they are rounded: one half is 32768 either way.
    np.testing.assert_allclose(back[..., 0], white - wanted, rtol=0, atol=form == 3)


@pytest.mark.parametrize("bits", [8, 12, 16, 32])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_tiff_is_read_upright(tmp_path, bits, orientation):
    values = np.array([[0, 0.2, 0.4], [0.6, 0.8, 1]], "f4")
    values = values if bits == 32 else np.rint(values * (2**bits - 1)).astype(np.uint16)
    values = values.astype(np.uint8) if bits == 8 else values
    form = 3 if bits == 32 else 1
    path = write(tmp_path / "x.tif", tiff([values], bits, form=form, orientation=orientation))
    upright = write(tmp_path / "y.tif", tiff([values], bits, form=form))
    wanted = Image.fromarray(images.read(upright))
    wanted.getexif()[274] = orientation
    turned = [None, 0, 3, 1, 5, 4, 6, 2][orientation - 1]  # Pillow's transpositions
    wanted = wanted if turned is None else wanted.transpose(turned)
    assert images.read_info(path).size == wanted.size
    np.testing.assert_array_equal(images.read(path), np.asarray(wanted))


@pytest.mark.parametrize(
    ("values", "bits", "options", "error"),
    [
        (np.float32([[0.5, np.nan, np.inf]]), 32, {"form": 3}, r"2 of 3 values are NaN"),
        (
            np.float32([[0, 960, 3824]]),
            32,
            {"form": 3},
            "from 0 to 3824.*black at 0 and white at 1",
        ),
        (np.int16([[0, -5, 7]]), 16, {"form": 2}, "negative values down to -5"),
        (np.int8([[0, 1]]), 8, {"form": 2}, "8-bit signed, cannot be decoded.*PNG"),
        (np.float16([[0, 1]]), 16, {"form": 3}, "16-bit floating-point, cannot be decoded.*PNG"),
        (np.zeros((2, 2, 3), np.uint16), 16, {"planar": True}, "separate planes"),
        (np.zeros((2, 2, 2), np.uint16), 16, {}, "neither grey nor RGB"),
        (np.zeros((2, 2, 4), np.uint16), 16, {"photometric": 5}, "neither grey nor RGB"),
    ],
)
def test_unsupported_samples_are_rejected_with_a_message(tmp_path, values, bits, options, error):
    path = write(tmp_path / "x.tif", tiff([values], bits, **options))
    with pytest.raises(ValueError, match=rf"x\.tif cannot be read as an image: .*{error}"):
        images.read(path)


def test_small_overshoots_are_clipped(tmp_path):
    path = write(tmp_path / "x.tif", tiff([np.float32([[-0.02, 0.5, 1.04]])], 32, form=3))
    np.testing.assert_array_equal(images.read(path)[0, :, 0], [0, 128, 255])


def test_premultiplied_alpha_is_divided_out(tmp_path):
    pixel = np.uint16([[[16384, 0, 8192, 32768]]])
    path = write(tmp_path / "x.tif", tiff([pixel], 16, alpha=1))
    back = images.read(path, bits=16, alpha=True)
    np.testing.assert_allclose(back[0, 0], [32768, 0, 16384, 32768], atol=1)


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_pages_of_a_stack_are_read_in_order_without_previews(tmp_path, bits, deflate):
    pages = [
        np.full((4, 6), number + 1, np.uint8 if bits == 8 else np.uint16) for number in range(5)
    ]
    data = tiff(pages, bits, deflate=deflate, subfiles=[0, 0, 1, 4, 0])
    path = write(tmp_path / "x.tif", data)
    assert images.read_info(path).pages == 3
    white = 2**bits - 1
    wanted = [round(value * 65535 / white) for value in (1, 2, 5)]
    found = [int(page[0, 0, 0]) for page in images.read_pages(path, bits=16)]
    assert found == wanted
    assert int(images.read(path, page=2, bits=16)[0, 0, 0]) == wanted[2]
    with pytest.raises(ValueError, match="contains several images"):
        images.read(path)
    with pytest.raises(ValueError, match="has no page 3"):
        images.read(path, page=3)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_frames_of_an_animation_are_read_in_order(tmp_path, suffix):
    pictures = [Image.new("RGB", (6, 4), (50 * number, 0, 255)) for number in range(4)]
    path = tmp_path / f"x{suffix}"
    options = {".webp": {"lossless": True}, ".tif": {}}.get(suffix, {})
    times = {} if suffix == ".tif" else {"duration": [40, 80, 40, 40]}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **options, **times)
    found = [page[0, 0].tolist() for page in images.read_pages(path)]
    assert found == [[50 * number, 0, 255] for number in range(4)]
    info = images.read_info(path)
    assert info.pages == 4
    if suffix == ".webp":
        assert info.durations == tuple(Fraction(time, 25) for time in (1, 2, 1, 1))


def test_the_fallback_image_of_an_animated_png_is_not_a_frame(tmp_path):
    pictures = [Image.new("RGB", (6, 4), (50 * number, 0, 0)) for number in range(3)]
    Image.new("RGB", (6, 4), "white").save(
        tmp_path / "x.png", save_all=True, append_images=pictures, default_image=True
    )
    assert images.read_info(tmp_path / "x.png").pages == 3
    found = [int(page[0, 0, 0]) for page in images.read_pages(tmp_path / "x.png")]
    assert found == [0, 50, 100]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_exif_orientation_is_applied(tmp_path, dtype):
    exif = Image.Exif()
    exif[274] = 6  # to be turned a quarter clockwise
    grey = PICTURE[..., 0].astype(dtype) * dtype(np.iinfo(dtype).max // 255)
    Image.fromarray(grey).save(tmp_path / "turned.png", exif=exif)
    assert images.read_info(tmp_path / "turned.png").size == (8, 12)
    wanted = np.rot90(PICTURE[..., :1].repeat(3, axis=-1), -1)
    np.testing.assert_array_equal(images.read(tmp_path / "turned.png"), wanted)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_round_trips(tmp_path, dtype, channels):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7, channels), dtype)
    images.write(tmp_path / "x.png", pixels)
    info = images.read_info(tmp_path / "x.png")
    assert (info.bits, info.alpha) == (8 * pixels.itemsize, channels == 4)
    assert info.grey == (channels == 1)
    back = images.read(tmp_path / "x.png", bits=info.bits, alpha=info.alpha)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, pixels.repeat(3, axis=-1) if channels == 1 else pixels)
    np.testing.assert_array_equal(
        back, images.read((tmp_path / "x.png").read_bytes(), bits=info.bits, alpha=info.alpha)
    )


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 2)])
def test_png_rejects_unsupported_pixels(tmp_path, shape):
    with pytest.raises(ValueError, match=r"an image must be \[H, W, 1, 3 or 4\]"):
        images.write(tmp_path / "x.png", np.zeros(shape, np.uint8))


def test_16_bits_are_rounded_to_8_on_request(tmp_path):
    pixels = np.array([[[0, 128, 65535], [129, 385, 386]]], np.uint16)
    images.write(tmp_path / "x.png", pixels)
    np.testing.assert_array_equal(images.read(tmp_path / "x.png"), [[[0, 0, 255], [1, 1, 2]]])
