import numpy as np
import pytest

from vfi_jax.data.scene import Scene

HEIGHT, WIDTH = 64, 96


def _scene(seed=0, **options):
    return Scene(seed, HEIGHT, WIDTH, **{"motion": 6.0, **options})


def _sample(image, points):
    """`image` bilinearly at `points` [..., (x, y)]."""
    x, y = np.clip(points, 0, [WIDTH - 1, HEIGHT - 1]).transpose(2, 0, 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, below = np.minimum(left + 1, WIDTH - 1), np.minimum(top + 1, HEIGHT - 1)
    across, down = (x - left)[..., None], (y - top)[..., None]
    upper = (1 - across) * image[top, left] + across * image[top, right]
    lower = (1 - across) * image[below, left] + across * image[below, right]
    return (1 - down) * upper + down * lower


def test_a_seed_determines_the_scene():
    np.testing.assert_array_equal(_scene(3).frame(1.25), _scene(3).frame(1.25))
    assert np.abs(_scene(3).frame(1.25) - _scene(4).frame(1.25)).mean() > 0.05


def test_frames_are_in_range_and_not_constant():
    frame = _scene().frame(0.5)
    assert (frame.shape, frame.dtype) == ((HEIGHT, WIDTH, 3), np.float32)
    assert frame.min() >= 0
    assert frame.max() <= 1
    assert frame.std() > 0.1


@pytest.mark.parametrize("seed", range(4))
def test_flow_connects_equal_colours(seed):
    """frame0(p) = frame1(p + flow(p)) where p is visible and not at an edge."""
    scene = _scene(seed)
    frame0, frame1 = scene.frame(2), scene.frame(3)
    flow, hidden = scene.flow(2, 3), scene.occlusion(2, 3)[..., 0] > 0
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    error = np.abs(_sample(frame1, np.stack([x, y], -1) + flow) - frame0).max(axis=-1)
    still = np.abs(frame1 - frame0).max(axis=-1)
    assert np.median(error[~hidden]) < 0.02
    assert np.mean(error[~hidden] < 0.1) > 0.93
    assert error[~hidden].mean() < 0.4 * still[~hidden].mean()
    assert error[hidden].mean() > 2 * error[~hidden].mean()


def test_forward_and_backward_flow_cancel():
    scene = _scene(1)
    forth, hidden = scene.flow(0, 1), scene.occlusion(0, 1)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    back = _sample(scene.flow(1, 0), np.stack([x, y], -1) + forth)
    apart = np.abs(forth + back).max(axis=-1)[hidden[..., 0] == 0]
    assert np.mean(apart < 0.1) > 0.95
    np.testing.assert_allclose(scene.flow(2.5, 2.5), 0, atol=1e-5)
    assert not scene.occlusion(2.5, 2.5).any()


@pytest.mark.parametrize("motion", [0.0, 3.0, 20.0])
def test_the_motion_option_limits_every_displacement(motion):
    scene = _scene(2, motion=motion)
    lengths = [np.hypot(*scene.flow(t, t + 1).transpose(2, 0, 1)).max() for t in range(0, 60, 7)]
    assert max(lengths) <= motion + 1e-4
    assert max(lengths) >= 0.3 * motion


def test_fine_patterns_repeat_within_a_few_pixels():
    def share(**options):  # of the power between 4 and 14 pixels per wave
        shares = []
        for seed in range(6):
            spectrum = np.abs(np.fft.fft2(_scene(seed, **options).frame(0).mean(axis=-1))) ** 2
            spectrum[0, 0] = 0
            waves = np.hypot(np.fft.fftfreq(HEIGHT)[:, None], np.fft.fftfreq(WIDTH))
            shares.append(spectrum[(waves > 1 / 14) & (waves < 1 / 4)].sum() / spectrum.sum())
        return np.mean(shares)

    assert share(fine=1.0) > share() + 0.2
    np.testing.assert_array_equal(_scene(3, fine=0.0).frame(1), _scene(3).frame(1))


def test_more_samples_hardly_change_a_frame():
    coarse, fine = (_scene(5, supersample=factor).frame(1) for factor in (2, 6))
    assert np.abs(coarse - fine).mean() < 0.01


def test_a_scene_may_be_empty_or_tiny():
    assert Scene(0, 1, 1, objects=0).frame(0).shape == (1, 1, 3)
    assert Scene(0, 33, 7).flow(0, 1).shape == (33, 7, 2)
