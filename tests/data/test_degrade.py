"""Low-resolution frames against files of the original scripts."""

import numpy as np
import pytest

from tests import support
from vfi_jax.data.degrade import degrade


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/imresize_np"))
def test_published_low_resolution_files_are_reproduced_exactly(name):
    arrays = support.full_case("ops/imresize_np", name)
    factor = 1 / float(arrays["scale"])
    if "png" not in arrays or factor % 1:
        pytest.skip("not a file, or not shrunk by a whole factor")
    small = degrade(arrays["img"] / np.float32(255), int(factor))
    np.testing.assert_array_equal(np.rint(255 * small), arrays["png"])


def test_constant_frames_keep_their_value():
    frames = np.full((2, 8, 12, 3), 77 / 255, np.float32)
    np.testing.assert_allclose(degrade(frames, 4), frames[:, ::4, ::4], atol=1e-7)
