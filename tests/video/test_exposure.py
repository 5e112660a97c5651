import numpy as np
import pytest

from vfi_jax.video.exposure import exposed


def _pixel(*values, dtype=np.uint8):
    return np.array([[values]], dtype)


def test_light_adds_up_not_values():
    black, white = _pixel(0, 0, 0), _pixel(255, 255, 255)
    assert exposed([black, white]).tolist() == [[[186] * 3]]  # 255 (1 / 2)^(1 / 2.2)
    deep = [frame.astype(np.uint16) * 257 for frame in (black, white, white, white)]
    assert exposed(deep)[0, 0].tolist() == [round(65535 * 0.75 ** (1 / 2.2))] * 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_stands_still_keeps_its_level(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)[None, :, None].repeat(3, axis=-1)
    np.testing.assert_array_equal(exposed(iter([levels] * 3)), levels)
    assert exposed([levels]) is levels


def test_what_is_transparent_does_not_darken():
    seen, hidden = _pixel(200, 100, 50, 255), _pixel(0, 0, 0, 0)
    assert exposed([seen, hidden]).tolist() == [[[200, 100, 50, 128]]]
    assert exposed([hidden, hidden]).tolist() == [[[0, 0, 0, 0]]]
