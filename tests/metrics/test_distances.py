"""The Kolmogorov-Smirnov distance, against scipy and its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tsunagu.errors import DataError
from tsunagu.metrics import ks, ks_test, parse_metric, roc_curve

stats = pytest.importorskip("scipy.stats")
special = pytest.importorskip("scipy.special")
RNG = np.random.default_rng(2)


@pytest.mark.parametrize("shift", [0.0, 0.3, 5.0])
def test_without_weights_it_is_that_of_scipy(shift):
    one, other = RNG.normal(0.0, 1.0, 400), np.round(RNG.normal(shift, 1.0, 300), 1)
    found, expected = ks_test(one, other), stats.ks_2samp(one, other, method="asymp")
    assert found.distance == pytest.approx(expected.statistic, abs=1e-12)
    scale = np.sqrt(400 * 300 / 700)
    assert found.probability == pytest.approx(special.kolmogorov(found.distance * scale), abs=1e-12)
    assert found.effective == (400.0, 300.0)


def test_a_weight_of_two_is_two_events():
    one, other = RNG.normal(0.0, 1.0, 50), RNG.normal(0.2, 1.0, 60)
    twice = ks_test(np.repeat(one, 2), other)
    assert ks_test(one, other, np.full(50, 2.0)).distance == pytest.approx(twice.distance)
    assert ks_test(one, other, np.full(50, 2.0)).effective[0] == pytest.approx(50)


def test_an_event_and_its_opposite_cancel():
    one, other = RNG.normal(0.0, 1.0, 50), RNG.normal(0.2, 1.0, 60)
    more = np.concatenate([one, [0.3, 0.3]])
    found = ks_test(more, other, np.concatenate([np.ones(50), [1.0, -1.0]]))
    assert found.distance == pytest.approx(ks_test(one, other).distance)


def test_as_a_metric_it_is_the_largest_distance_of_the_efficiencies():
    score, truth = RNG.normal(0.0, 1.0, 500), RNG.integers(0, 2, 500)
    curve = roc_curve(score + truth, truth)
    expected = np.abs(curve.signal_efficiency - curve.background_efficiency).max()
    assert ks(score + truth, truth) == pytest.approx(expected)
    call = parse_metric("ks(score, y)")
    assert call.evaluate({"score": score + truth, "y": truth}, None) == pytest.approx(expected)
    assert ks(np.where(truth == 1, np.inf, -np.inf), truth) == 1.0
    assert np.isnan(ks(np.full(500, np.nan), truth))


@given(arrays(np.float64, 12, elements=st.floats(-3, 3)), arrays(np.float64, 12, elements=st.floats(-1, 2)))
def test_signed_weights_give_a_number_in_range_or_our_error(values, weights):
    try:
        found = ks_test(values[:6], values[6:], weights[:6], weights[6:])
    except DataError:
        return
    assert 0.0 <= found.distance <= 1.0
    assert 0.0 <= found.probability <= 1.0


@pytest.mark.parametrize("bad", [[], [np.nan], [[1.0]]])
def test_what_is_no_sample(bad):
    with pytest.raises(DataError):
        ks_test(bad, [1.0])
