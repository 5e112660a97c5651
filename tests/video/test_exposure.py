import numpy as np
import pytest

from vfi_jax.video.colour import UNKNOWN
from vfi_jax.video.exposure import HLG, PQ, exposed


def _mean(*frames, transfer=UNKNOWN):
    return exposed([(frame, 1.0) for frame in frames], transfer)


def _pixel(*values, dtype=np.uint8):
    return np.array([[values]], dtype)


def test_light_adds_up_not_values():
    black, white = _pixel(0, 0, 0), _pixel(255, 255, 255)
    assert _mean(black, white).tolist() == [[[186] * 3]]  # 255 (1 / 2)^(1 / 2.2)
    third = exposed([(black, 1.0), (white, 0.5)], UNKNOWN)
    assert third.tolist() == [[[round(255 * 3 ** (-1 / 2.2))] * 3]]
    deep = [frame.astype(np.uint16) * 257 for frame in (black, white, white, white)]
    assert _mean(*deep)[0, 0].tolist() == [round(65535 * 0.75 ** (1 / 2.2))] * 3


@pytest.mark.parametrize(
    ("transfer", "bright", "half"),
    [(PQ, 0.5806, 0.5096), (HLG, 0.65641, 0.5)],  # 203 and 101.5 cd/m2; 1 / 6 and 1 / 12
)
def test_high_dynamic_range_has_its_own_light(transfer, bright, half):
    frame = np.full((1, 1, 3), round(65535 * bright), np.uint16)
    out = _mean(frame, 0 * frame, transfer=transfer)
    np.testing.assert_allclose(out / 65535, half, atol=2e-4)


@pytest.mark.parametrize("transfer", [UNKNOWN, PQ, HLG])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_stands_still_keeps_its_level(dtype, transfer):
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)[None, :, None].repeat(3, axis=-1)
    off = np.abs(
        _mean(levels, levels.copy(), levels.copy(), transfer=transfer) - levels.astype(int)
    )
    assert off.max() <= (1 if (dtype, transfer) == (np.uint16, PQ) else 0)
    assert _mean(levels, levels, levels, transfer=transfer) is levels


def test_what_is_transparent_does_not_darken():
    seen, hidden = _pixel(200, 100, 50, 255), _pixel(0, 0, 0, 0)
    assert _mean(seen, hidden).tolist() == [[[200, 100, 50, 128]]]
    assert _mean(hidden, hidden.copy()).tolist() == [[[0, 0, 0, 0]]]
