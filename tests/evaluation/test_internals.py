"""Images of intermediate outputs."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import draw
from vfi_jax.contract import Contract
from vfi_jax.evaluation import internals


class Showing(nn.Module):
    """A model that returns one intermediate output: 1 in the left, 1/2 in the right half."""

    key: str
    channels: int
    contract = Contract(frames=2, times=(0.5,), multiple=8)

    def __call__(self, frames, times):
        field = jnp.ones((1, *frames.shape[-3:-1], self.channels))
        field = field.at[..., frames.shape[-2] // 2 :, :].set(0.5)
        value = (field, field) if self.key == "kernels1" else field
        return {"frames": frames[:, :1], self.key: value}


@pytest.mark.parametrize(
    ("key", "channels", "name", "right"),
    [("weight0", 1, "depth", 0), ("mask", 1, "mask", 128), ("kernel0", 16, "kernels", 255)],
)
def test_intermediate_outputs_are_drawn(key, channels, name, right):
    black = np.zeros((64, 100, 3), np.float32)
    found = internals.internals(Showing(key, channels), {}, black, black)
    assert list(found) == [name]
    caption, picture = found[name]
    assert caption
    assert picture.shape == (64, 100, 3)
    # A kernel is drawn relative to its own largest tap, depth between its extremes.
    assert picture[16, 16].tolist() == [255] * 3
    assert picture[16, 80].tolist() == [right] * 3


def test_separable_kernels_are_drawn_as_their_product():
    black = np.zeros((64, 64, 3), np.float32)
    found = internals.internals(Showing("kernels1", 3), {}, black, black)
    assert found["kernels"][1][16, 16].tolist() == [255] * 3


def test_outputs_without_an_image_are_skipped():
    black = np.zeros((64, 8, 3), np.float32)
    assert internals.internals(Showing("nothing", 1), {}, black, black) == {}


def test_negative_taps_are_blue():
    kernel = np.zeros((8, 8, 2, 2))
    kernel[..., 0, 0], kernel[..., 1, 1] = 1, -1
    tile = draw.kernel_tiles(kernel, 8)
    assert tile[2, 2].tolist() == [255, 255, 255]
    assert tile[5, 5].tolist() == [0, 102, 255]
