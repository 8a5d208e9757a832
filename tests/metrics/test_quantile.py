"""Weighted quantiles: numpy's weighted definition as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.errors import DataError
from tsunagu.metrics import weighted_quantile

# Whole weights and binary shares have exact sums: the oracle compares without a tolerance.
SAMPLE = st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 8)), min_size=1, max_size=30)
SHARES = st.lists(st.integers(0, 64).map(lambda n: n / 64), min_size=1, max_size=5)


@given(SAMPLE, SHARES)
def test_numpy_for_positive_weights(sample, q):
    values, weight = np.array(sample, dtype=float).T
    # numpy takes the share 0 for the smallest value as well.
    wanted = np.quantile(values, q, weights=weight, method="inverted_cdf")
    np.testing.assert_array_equal(weighted_quantile(values, weight, q), wanted)


@given(SAMPLE, SHARES)
def test_a_weight_of_two_is_two_events(sample, q):
    values, weight = np.array(sample, dtype=float).T
    repeated = np.repeat(values, weight.astype(int))
    np.testing.assert_array_equal(weighted_quantile(values, weight, q), weighted_quantile(repeated, None, q))


@given(SAMPLE, st.integers(1, 9), st.floats(0.01, 100.0))
def test_the_unit_of_the_weight_does_not_count(sample, tenths, unit):
    values, weight = np.array(sample, dtype=float).T
    assert weighted_quantile(values, weight * unit, tenths / 10) == weighted_quantile(
        values, weight, tenths / 10
    )


@given(SAMPLE, SHARES, st.floats(0.5, 20.0))
def test_an_event_and_its_copy_with_opposite_weight_cancel(sample, q, size):
    values, weight = np.array(sample, dtype=float).T
    more = weighted_quantile(np.append(values, [9.0, 9.0]), np.append(weight, [size, -size]), q)
    np.testing.assert_array_equal(more, weighted_quantile(values, weight, q))


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-3, 8)), min_size=1, max_size=30))
def test_signed_weights_give_rising_quantiles_of_the_values(sample):
    values, weight = np.array([*sample, (0, 100)], dtype=float).T
    quantiles = weighted_quantile(values, weight, np.linspace(0, 1, 11))
    assert (np.diff(quantiles) >= 0).all()
    assert set(quantiles) <= set(values)


def test_pinned():
    assert weighted_quantile([10.0, 20.0, 30.0, 40.0], None, [0.25, 0.26, 0.5, 1.0]).tolist() == [
        10,
        20,
        20,
        40,
    ]
    assert weighted_quantile([3.0, 1.0], [1.0, 3.0], 0.75).shape == ()
    assert weighted_quantile([3.0, 1.0], [1.0, 3.0], [[0.75], [0.76]]).tolist() == [[1.0], [3.0]]


def test_pinned_with_a_negative_weight():
    # Cumulative shares 0.75, 0.5, 1: made rising they are 0.625, 0.625, 1.
    assert weighted_quantile([1.0, 2.0, 3.0], [3.0, -1.0, 2.0], [0.5, 0.6, 0.65]).tolist() == [1.0, 1.0, 3.0]


def test_rounding_does_not_move_the_median():
    assert weighted_quantile(np.arange(12.0), np.full(12, 0.1), 0.5) == 5.0


@pytest.mark.parametrize(
    ("values", "weight"), [([1.0, np.nan], None), ([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0, -1.0]), ([], None)]
)
def test_mistakes(values, weight):
    with pytest.raises(DataError, match="weighted_quantile"):
        weighted_quantile(values, weight, 0.5)
