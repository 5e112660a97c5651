"""Named paddings and ensembles reproduce the original callers."""

import functools

import numpy as np
import pytest

from tests import support
from vfi_jax import registry, weights
from vfi_jax.interpolation import Interpolator

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("case", "padding"), [("case-1", "sepconv"), ("case-2", "sepconv-paper")])
def test_sepconv(case, padding):
    arrays = support.full_case("sepconv", case)
    frames = np.stack([arrays["one_rgb_uint8"], arrays["two_rgb_uint8"]])
    out = Interpolator(*_loaded("sepconv"), padding=padding)(_unit(frames), [0.5])[0]
    support.assert_close(out, support.channels_last(arrays["out"])[..., ::-1])


@pytest.mark.parametrize(
    ("case", "key", "options"),
    [("case-3", "out", {"padding": "rife"}), ("case-6", "out_tta", {"ensemble": "flip2"})],
)
def test_rife(case, key, options):
    arrays = support.full_case("rife", case)
    frames = np.stack([arrays["img0_bgr_uint8"], arrays["img1_bgr_uint8"]])[..., ::-1]
    out = Interpolator(*_loaded("rife"), **options)(_unit(frames), [0.5])[0]
    height, width = out.shape[:2]
    wanted = support.channels_last(arrays[key][0])[:height, :width, ::-1]
    support.assert_close(out, wanted)


@functools.cache
def _loaded(name):
    return registry.create(name), weights.convert(name, support.full_state_dict(name))


def _unit(frames):
    return frames.astype(np.float32) / 255
