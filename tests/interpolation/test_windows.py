from fractions import Fraction

import pytest

from tests.interpolation.toys import CASES
from vfi_jax.interpolation.windows import exact, place


def starts(name, length, times):
    contract = CASES[name].toy.contract
    placed = [place(contract, exact(time), length) for time in times]
    return [(str(here.window.start), float(here.relative)) for here in placed]


def test_four_frames_step_by_three_and_the_last_window_slides_back():
    name = "four-to-seven-at-x2"
    assert starts(name, 7, [0, 3, 3.5, 6]) == [("0", 0), ("0", 3), ("3", 0.5), ("3", 3)]
    assert starts(name, 6, [3, 3.5, 5]) == [("0", 3), ("2", 1.5), ("2", 3)]
    assert starts(name, 3, [0, 2]) == [("0", 0), ("0", 2)]  # a shorter clip: three frames


def test_a_known_length_does_not_change_windows_that_fit():
    for name, case in CASES.items():
        contract = case.toy.contract
        for time in case.times:
            unbounded = place(contract, exact(time), None)
            if unbounded.window and max(unbounded.window.times(None)) <= 5:
                assert place(contract, exact(time), 6) == unbounded, (name, time)


def test_a_centre_takes_its_neighbours_with_the_edge_repeated():
    here = place(CASES["seven-to-centre"].toy.contract, Fraction(1), 3)
    assert [int(time) for time in here.window.times(3)] == [0, 0, 0, 1, 2, 2, 2]


def test_any_time_uses_the_most_central_window():
    assert starts("four-any-time", 6, [0.5, 2.25, 4.75]) == [("0", 0.5), ("1", 1.25), ("2", 2.75)]


def test_bisection_starts_from_the_nearest_predicted_times():
    here = place(CASES["midpoint-only"].toy.contract, Fraction(11, 8), None)
    assert here.window.times(None) == (Fraction(5, 4), Fraction(3, 2))
    here = place(CASES["four-to-middle"].toy.contract, Fraction(1, 4), 3)
    assert here.window.times(3) == (0, 0, Fraction(1, 2), 1)


def test_a_prediction_needs_real_frames():
    contract = CASES["two-to-next"].toy.contract
    assert place(contract, Fraction(1), 2).window is None
    assert place(contract, Fraction(2), 2).window.times(2) == (0, 1)
    with pytest.raises(ValueError, match="outside the clip"):
        place(contract, Fraction(3), 2)


@pytest.mark.parametrize(
    ("time", "fraction"), [(0.1 + 0.2, (3, 10)), (1 / 3, (1, 3)), (99999 + 2 / 3, (299999, 3))]
)
def test_floats_are_rounded_to_the_intended_fraction(time, fraction):
    assert exact(time) == Fraction(*fraction)
