import numpy as np
import pytest

from vfi_jax.contract import Contract


def test_a_window_is_full_by_default():
    assert Contract(frames=7, times=(3.0,)).min_frames == 7
    assert Contract(frames=4, times=None, min_frames=2).min_frames == 2


def test_a_short_window_predicts_the_times_inside_it():
    contract = Contract(frames=4, times=(0, 0.5, 1, 1.5, 2, 2.5, 3), min_frames=2)
    assert contract.times_of(4) == contract.times
    assert contract.times_of(2) == (0, 0.5, 1)
    assert Contract(frames=2, times=(2.0,)).times_of(2) == (2.0,)
    assert Contract(frames=4, times=None, min_frames=2).times_of(2) is None


def test_a_single_number_is_no_times():
    with pytest.raises(ValueError, match=r"times must be \[1, T\] to fit frames, got \(\)"):
        Contract(2, None).check(np.zeros((1, 2, 4, 4, 3), np.float32), 0.5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"frames": 0, "times": None}, "frames must be at least 1, got 0"),
        ({"frames": 2, "times": None, "scale": 0}, "scale must be at least 1"),
        ({"frames": 2, "times": None, "min_frames": 3}, "min_frames must be at most 2, got 3"),
        ({"frames": 2, "times": (0.5, 0.25)}, "times must ascend without repeats"),
        ({"frames": 2, "times": (0.5, 0.5)}, "times must ascend without repeats"),
    ],
)
def test_impossible_contracts_are_rejected(options, words):
    with pytest.raises(ValueError, match=words):
        Contract(**options)
