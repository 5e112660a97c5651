import numpy as np
import pytest
from PIL import Image

from vfi_jax.video import images

from .clips import frames

PICTURE = frames(1)[0]


def test_files_come_in_natural_order_and_others_are_ignored(tmp_path):
    for name in ("img10.png", "img2.png", "img1.PNG", "notes.txt", ".hidden.png"):
        images.write(tmp_path / name, PICTURE)
    assert [path.name for path in images.listed(tmp_path)] == ["img1.PNG", "img2.png", "img10.png"]


def test_a_folder_without_images_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match="holds no images"):
        images.listed(tmp_path)


def test_an_image_of_another_size_is_named(tmp_path):
    images.write(tmp_path / "0.png", PICTURE)
    images.write(tmp_path / "1.png", PICTURE[:-1])
    with pytest.raises(ValueError, match=r"1\.png is 48x31, but 0\.png is 48x32"):
        images.heads(images.listed(tmp_path))


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / "0.png").write_text("text")
    with pytest.raises(ValueError, match=r"0\.png cannot be read"):
        images.heads(images.listed(tmp_path))


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


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [(np.float32, "floating-point"), (np.int32, "signed or 32-bit")],
)
def test_values_without_a_white_are_refused(tmp_path, dtype, kind):
    Image.fromarray(np.ones((2, 3), dtype)).save(tmp_path / "x.tif")
    for ask in (images.read, lambda path: images.heads([path])):
        with pytest.raises(ValueError, match=rf"x\.tif holds {kind} values.*16-bit PNG"):
            ask(tmp_path / "x.tif")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_of_sixteen_bits_keeps_them(tmp_path, suffix):
    grey = np.array([[0, 1, 40000], [65535, 257, 3]], np.uint16)
    Image.fromarray(grey).save(tmp_path / f"x{suffix}")
    back = images.read(tmp_path / f"x{suffix}", bits=16)
    np.testing.assert_array_equal(back, np.dstack([grey] * 3))


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[images.ORIENTATION] = 6  # to be turned a quarter clockwise
    Image.fromarray(PICTURE).save(tmp_path / "turned.png", exif=exif)
    (head,) = images.heads([tmp_path / "turned.png"])
    assert head.size == (32, 48)
    np.testing.assert_array_equal(images.read(tmp_path / "turned.png"), np.rot90(PICTURE, -1))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_returns_every_bit(tmp_path, dtype, channels):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7, channels), dtype)
    images.write(tmp_path / "x.png", pixels)
    (head,) = images.heads([tmp_path / "x.png"])
    assert (head.bits, head.alpha) == (8 * pixels.itemsize, channels == 4)
    back = images.read(tmp_path / "x.png", bits=head.bits, alpha=head.alpha)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, pixels)


def test_sixteen_bits_are_rounded_to_eight_where_eight_are_asked_for(tmp_path):
    pixels = np.array([[[0, 128, 65535], [129, 385, 386]]], np.uint16)
    images.write(tmp_path / "x.png", pixels)
    back = images.read(tmp_path / "x.png")
    np.testing.assert_array_equal(back, np.uint8([[[0, 0, 255], [1, 1, 2]]]))
