"""Flow files round-trip, and damaged files are rejected."""

import numpy as np
import pytest
from PIL import Image

from vfi_jax.data.flow_files import KITTI_RANGE, read_flow, write_flow


@pytest.fixture
def flow():
    return np.random.default_rng(0).normal(0, 40, (5, 7, 2)).astype(np.float32)


@pytest.fixture
def known():
    return np.random.default_rng(1).random((5, 7)) > 0.3


@pytest.mark.parametrize(("suffix", "step"), [(".flo", 0), (".png", 0.5 / 64)])
def test_flow_round_trips(flow, known, tmp_path, suffix, step):
    path = tmp_path / f"flow{suffix}"
    write_flow(path, flow, known=known)
    read, read_known = read_flow(path)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read_known, known)
    np.testing.assert_allclose(read, flow * known[..., None], atol=step, rtol=0)


def test_flo_files_have_the_bytes_of_middlebury(tmp_path):
    path = tmp_path / "flow.flo"
    write_flow(path, [[[1, -2], [0.5, 0]]])
    assert path.read_bytes() == (
        b"PIEH\x02\x00\x00\x00\x01\x00\x00\x00" + np.float32([1, -2, 0.5, 0]).tobytes()
    )


def test_png_files_have_the_channels_of_kitti(tmp_path):
    path = tmp_path / "flow.png"
    write_flow(path, np.full((2, 3, 2), (1.5, -2)), known=np.eye(2, 3))
    # Pillow reads only the upper 8 of 16 bits per channel.
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert tuple(pixels[0, 0][:2]) == ((2**15 + 96) >> 8, (2**15 - 128) >> 8)
    np.testing.assert_array_equal(pixels[0, 1], 0)


def test_unrepresentable_flow_is_rejected(flow, tmp_path):
    with pytest.raises(ValueError, match=r"from -512 to 511.98 pixels, got .* write a .flo"):
        write_flow(tmp_path / "flow.png", flow + KITTI_RANGE[1])
    with pytest.raises(ValueError, match="finite"):
        write_flow(tmp_path / "flow.flo", flow * np.nan)
    with pytest.raises(ValueError, match=r"must end in .flo \(Middlebury\) or .png \(KITTI\)"):
        write_flow(tmp_path / "flow.npy", flow)
    with pytest.raises(ValueError, match=r"flow must be \[H, W, 2\], got \(5, 7\)"):
        write_flow(tmp_path / "flow.flo", flow[..., 0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.flo", b"JFIF" + bytes(20), "does not start with PIEH"),
        ("a.flo", b"PIEH\x02\0\0\0\x01\0\0\0" + bytes(15), "2x1 needs 28 bytes, got 27"),
        ("a.flo", b"PIEH\xff\xff\xff\xff\x01\0\0\0", "damaged"),
        ("a.png", b"no image", "three 16-bit channels"),
    ],
)
def test_damaged_files_are_rejected(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_flow(tmp_path / name)
