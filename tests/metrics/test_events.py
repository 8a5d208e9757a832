"""What is common to all metrics."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tsunagu.metrics.events import monotone, prepare

CURVES = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1))


@given(CURVES)
def test_monotone_rises_within_the_curve(curve):
    rising = monotone(curve)
    assert (np.diff(rising) >= 0).all()
    assert rising.min() >= curve.min()
    assert rising.max() <= curve.max()


@given(CURVES)
def test_a_rising_curve_is_not_changed(curve):
    np.testing.assert_array_equal(monotone(np.sort(curve)), np.sort(curve))


@given(CURVES)
def test_ups_and_downs_are_treated_alike(curve):
    np.testing.assert_allclose(monotone(curve), 1.0 - monotone(1.0 - curve[::-1])[::-1], atol=1e-15)


def test_everything_is_double_precision():
    events = prepare(
        np.ones(2, dtype=np.float16), np.array([True, False]), np.ones(2, dtype=np.float32), "auc"
    )
    assert {array.dtype for array in events} == {np.dtype(np.float64)}
