import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.interpolation.toys import Toy
from vfi_jax.contract import Contract
from vfi_jax.interpolation import Interpolator
from vfi_jax.interpolation.compiled import Compiled
from vfi_jax.interpolation.forward import default_overlap
from vfi_jax.interpolation.tiles import Tiling, cut, fit


@pytest.mark.parametrize("length", [40, 41, 64, 100, 257])
@pytest.mark.parametrize(("tile", "overlap"), [(32, 12), (40, 20), (33, 0)])
@pytest.mark.parametrize("scale", [1, 4])
def test_blending_weights_sum_to_one_and_vanish_near_tile_edges(length, tile, overlap, scale):
    cuts = cut(length, tile, overlap=overlap)
    assert cuts.starts[-1] + cuts.tile == length
    total = np.zeros(scale * length)
    for start, weights in zip(cuts.starts, cuts.weights(scale), strict=True):
        total[scale * start : scale * (start + cuts.tile)] += weights
        margin = scale * overlap // 3 - 1
        assert start == 0 or not weights[: max(0, margin)].any()
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_tiles_start_at_multiples_and_overlap_enough():
    cuts = cut(1088, 250, overlap=70, multiple=32)
    assert cuts.tile == 256
    assert all(start % 32 == 0 for start in cuts.starts)
    assert max(np.diff(cuts.starts)) <= 256 - 96
    assert cut(64, 100, overlap=8, multiple=32).starts == (0,)


def blurred(frames, times):
    """The mean over time and a 5x5 square, at twice the size; sees 2 pixels far."""
    mean = frames.mean(1)
    padded = jnp.pad(mean, ((0, 0), (2, 2), (2, 2), (0, 0)))
    height, width = mean.shape[1:3]
    total = sum(padded[:, y : y + height, x : x + width] for y in range(5) for x in range(5))
    large = (total / 25).repeat(2, axis=1).repeat(2, axis=2)
    return jnp.broadcast_to(large[:, None], (*times.shape, *large.shape[1:]))


BLUR = Toy(Contract(2, (0.5,), scale=2, multiple=4), blurred)


@pytest.mark.parametrize("options", [{}, {"batch": 4}, {"devices": "all"}], ids=str)
def test_tiled_and_untiled_results_are_equal(options):
    options = {key: jax.devices() if value == "all" else value for key, value in options.items()}
    frames = np.random.default_rng(0).random((3, 70, 90, 3), np.float32)
    whole = Interpolator(BLUR, {})(frames, [0.5, 1.5])
    tiled = Interpolator(BLUR, {}, tile=32, overlap=8, **options)(frames, [0.5, 1.5])
    np.testing.assert_allclose(tiled, whole, atol=1e-6)


def panned(pixels):
    """The middle frame of a pan by `pixels`, from the first frame; edges repeat."""

    def answer(frames, times):
        columns = jnp.arange(frames.shape[-2]) - pixels // 2
        return frames[:, :1, :, jnp.clip(columns, 0, frames.shape[-2] - 1)]

    return Toy(Contract(2, (0.5,), multiple=32), answer)


@pytest.mark.parametrize(
    ("width", "tile", "motion", "less"), [(1920, 704, 84, 64), (3840, 1056, 168, 128)]
)
def test_large_motion_is_not_cut_at_the_edge_of_a_tile(width, tile, motion, less):
    frames = np.random.default_rng(0).random((2, 32, width, 3), np.float32)
    whole = Interpolator(panned(motion), {})(frames, [0.5])
    tiled = Interpolator(panned(motion), {}, tile=tile)(frames, [0.5])
    np.testing.assert_allclose(tiled, whole, atol=1e-6)
    narrow = Interpolator(panned(motion), {}, tile=tile, overlap=less)(frames, [0.5])
    assert np.abs(narrow - whole).max() > 0.1


def test_the_default_overlap_leaves_small_tiles_their_area():
    overlaps = [default_overlap((2160, 3840), (side, side)) for side in (256, 512, 800, 1024, 2048)]
    assert overlaps == [128, 128, 200, 256, 256]


def test_disagreeing_tiles_leave_no_seam():
    def shifted(frames, times):
        """Every tile has a brightness of its own."""
        return jnp.ones_like(frames[:, :1]) * frames[:, :1].mean((2, 3), keepdims=True)

    toy = Toy(Contract(2, (0.5,)), shifted)
    ramp = np.broadcast_to(np.linspace(0, 1, 128, dtype=np.float32)[:, None], (2, 40, 128, 3))
    out = Interpolator(toy, {}, tile=48, overlap=24)(ramp, [0.5])
    assert np.ptp(out) > 0.3
    assert np.abs(np.diff(out, axis=2)).max() < 0.06


def test_memory_determines_the_tile_size(caplog):
    caplog.set_level("INFO", "vfi_jax")
    frames = np.zeros((2, 512, 768, 3), np.uint8)
    whole = Interpolator(BLUR, {}, memory=10**9)
    whole(frames, [0.5])
    assert len(whole._forward._tiling((2, 512, 768, 3), 1)) == 1
    small = Interpolator(BLUR, {}, memory=10_000_000)
    tiling = small._forward._tiling((2, 512, 768, 3), 1)
    assert len(tiling) > 1
    (line,) = caplog.messages
    assert line.startswith(
        f"768x512 exceeds the memory limit of 0.0093 GiB: {len(tiling)} tiles of "
    )
    assert small._forward._call.needs((2, *tiling.size, 3), 1) <= 10_000_000
    with pytest.raises(ValueError, match="memory must be at least"):
        Interpolator(BLUR, {}, memory=1000)(frames, [0.5])


def test_the_tile_that_fits_is_large_and_nearly_square():
    height, width = fit(lambda size: size[0] * size[1], (1000, 4000), budget=10**6, least=64)
    assert 0.8 * 10**6 <= height * width <= 10**6
    assert 0.8 <= height / width <= 1.25


def test_what_is_too_large_to_compile_does_not_fit(monkeypatch):
    call = Compiled(BLUR, {})
    compile_ = call._call

    def small_only(window, slots):
        if window[1] > 256:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")
        return compile_(window, slots)

    monkeypatch.setattr(call, "_call", small_only)
    tile = fit(lambda size: call.needs((2, *size, 3), 1), (512, 512), budget=10**9, least=64)
    assert tile == (256, 256)


def test_split_and_join_are_inverse():
    frame = np.random.default_rng(0).random((2, 50, 60, 3), np.float32)
    tiling = Tiling(cut(50, 20, overlap=6), cut(60, 24, overlap=9))
    whole = np.zeros_like(frame)
    tiling.join(tiling.split(frame), whole)
    np.testing.assert_allclose(whole, frame, atol=1e-6)
