import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax.interpolation.padding import PADDINGS, Padding, crop, named, pad


@pytest.mark.parametrize(
    ("name", "size", "above_below", "left_right"),
    [
        ("tight", (30, 64), (0, 2), (0, 0)),
        # What the original callers did with these sizes.
        ("sepconv", (64, 64), (0, 64), (0, 64)),
        ("sepconv", (96, 140), (0, 32), (0, 116)),
        ("sepconv", (128, 128), (0, 0), (0, 0)),
        ("sepconv-paper", (60, 100), (25, 43), (25, 131)),
        ("sepconv-paper", (78, 78), (25, 25), (25, 25)),
        ("dain", (100, 150), (14, 14), (53, 53)),
        ("dain", (40, 128), (44, 44), (32, 32)),
        ("dain", (101, 127), (13, 14), (0, 1)),
        ("zsm", (22, 29), (0, 2), (0, 3)),
        ("rife", (50, 70), (0, 14), (0, 26)),
        ("practical-rife", (128, 130), (0, 0), (0, 126)),
        ("middlebury-rife", (388, 584), (0, 92), (0, 56)),
        ("middlebury-rife", (480, 640), (0, 0), (0, 0)),
        ("gmfss", (90, 150), (0, 38), (0, 42)),
        ("centred-32", (33, 40), (15, 16), (12, 12)),
    ],
)
def test_named_paddings_equal_the_original_callers(name, size, above_below, left_right):
    multiple = {"tight": 32}.get(name, 4)
    assert PADDINGS[name].amounts(size, multiple=multiple) == (above_below, left_right)


@pytest.mark.parametrize("name", sorted({*PADDINGS} - {"gmfss"}))
@pytest.mark.parametrize("multiple", [1, 12, 64])
def test_every_padding_reaches_the_multiple_and_is_inverted(name, multiple):
    frames = np.random.default_rng(0).integers(0, 256, (2, 9, 11, 3), np.uint8)
    amounts = PADDINGS[name].amounts((9, 11), multiple=multiple)
    padded = pad(frames, amounts, PADDINGS[name].value)
    assert padded.shape[1] % multiple == padded.shape[2] % multiple == 0
    enlarged = padded.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(crop(enlarged, amounts, scale=2)[:, ::2, ::2], frames)


def test_edges_repeat_or_are_black():
    frame = np.array([[[1], [2]]])
    assert pad(frame, ((0, 0), (1, 2)), "edge")[0, :, 0].tolist() == [1, 1, 2, 2, 2]
    assert pad(frame, ((0, 0), (1, 2)), "zero")[0, :, 0].tolist() == [0, 1, 2, 0, 0]


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray])
def test_frames_may_be_resized_instead(kind):
    y, x = np.mgrid[:9, :11].astype(np.float32)
    frames = kind((8 * (x + 2 * y)[None, ..., None]).astype(np.uint8))  # as large a step everywhere
    amounts = Padding(to=16).amounts((9, 11))
    enlarged = pad(frames, amounts, "resize")
    assert enlarged.shape == (1, 16, 16, 1)
    assert type(enlarged) is type(frames)
    # Pixel i of 16 covers 9 / 16 of a pixel: from its centre to its neighbour's is as much.
    steps = 255 * np.diff(np.asarray(enlarged)[0, ..., 0], axis=0)[2:-2]
    np.testing.assert_allclose(steps, 16 * 9 / 16, rtol=1e-4)
    back = crop(enlarged, amounts, value="resize")
    np.testing.assert_allclose(255 * back[:, 1:-1, 1:-1], frames[:, 1:-1, 1:-1], atol=0.01)


def test_a_padding_object_is_accepted():
    assert named(Padding(to=8)) == Padding(to=8)
    with pytest.raises(ValueError, match="did you mean rife"):
        named("riffe")
