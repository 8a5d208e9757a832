"""Asimov significance: the closed forms in all limits, and cuts that are chosen on other events."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.errors import DataError
from tsunagu.metrics import ams, asimov_significance, best_cut, parse_metric, significance

counts = st.floats(-12, 8).map(lambda power: 10.0**power)
shares = st.one_of(st.just(0.0), st.floats(-12, 4).map(lambda power: 10.0**power))


def as_written(s, b, sigma):
    """The formula of the docstring with 80 digits."""
    with mpmath.workdps(80):
        s, b, v = mpmath.mpf(s), mpmath.mpf(b), mpmath.mpf(sigma) ** 2
        if not v:
            return float(mpmath.sqrt(2 * ((s + b) * mpmath.log(1 + s / b) - s)))
        first = (s + b) * mpmath.log((s + b) * (b + v) / (b**2 + (s + b) * v))
        return float(mpmath.sqrt(2 * (first - b**2 / v * mpmath.log(1 + v * s / (b * (b + v))))))


@given(counts, counts, shares)
def test_all_digits_are_right(s, b, share):
    assert asimov_significance(s, b, share * b) == pytest.approx(as_written(s, b, share * b), rel=1e-11)


@given(counts, counts)
def test_a_small_error_changes_little_and_a_large_one_leaves_nothing(s, b):
    known = asimov_significance(s, b)
    # The error counts beside the fluctuation of the signal and background.
    assert asimov_significance(s, b, 1e-6 * b / np.sqrt(s + b)) == pytest.approx(known, rel=1e-6)
    assert asimov_significance(s, b, 1e9 * (s + b)) < 1e-3 * max(1.0, float(known))


@given(counts, counts, shares)
def test_it_grows_with_signal_and_falls_with_background_and_error(s, b, share):
    sigma = share * b
    value = asimov_significance(s, b, sigma)
    near = 1 + 1e-12
    assert asimov_significance(1.1 * s, b, sigma) * near >= value
    assert value * near >= asimov_significance(s, 1.1 * b, 1.1 * sigma)
    assert value * near >= asimov_significance(s, b, 1.1 * sigma + 1e-3 * b)


def test_a_small_signal_is_s_over_the_root_of_the_variance():
    assert asimov_significance(1e-6, 100.0, 10.0) == pytest.approx(1e-6 / np.sqrt(200.0), rel=1e-8)


def test_the_borders():
    s, b, sigma = [1.0, 0.0, -1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0]
    assert asimov_significance(s, b, sigma).tolist() == [np.inf, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, -1.0), "the background must be 0 or more, found -1"),
        ((1.0, 1.0, -2.0), "the error must be 0 or more, found -2"),
        (([np.nan, 1.0], 1.0), "1 values of the signal are NaN"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(DataError, match=message):
        asimov_significance(*arguments)


def events(seed=3, number=4000):
    draw = np.random.default_rng(seed)
    label = draw.integers(0, 2, number)
    return draw.normal(1.5 * label, 1.0), label, np.where(label, 0.05, 1.0) * draw.choice([1.0, -0.2], number)


def test_the_best_cut_is_the_best_of_all():
    score, label, weight = events()
    rule = best_cut(score, label, weight, uncertainty=0.1, least=0.0)
    best = significance(score, label, weight, uncertainty=0.1, point=rule)
    others = [significance(score, label, weight, uncertainty=0.1, at=at) for at in np.linspace(0.1, 0.95, 18)]
    assert best >= max(others)


def test_the_cut_of_the_validation_events_is_used_on_the_test_events():
    valid, test = events(1), events(2)
    call = parse_metric("significance(s, y, scale=5, uncertainty=0.1)")
    point = call.point({"s": valid[0], "y": valid[1]}, valid[2])
    told = call.evaluate({"s": test[0], "y": test[1]}, test[2], point)
    assert point.cut == best_cut(*valid, scale=5.0, uncertainty=0.1).cut
    assert told == significance(*test, scale=5.0, uncertainty=0.1, point=point)


def test_the_best_cut_leaves_enough_background():
    score, label, weight = events()
    cut = best_cut(score, label, weight, uncertainty=0.1, least=50.0).cut
    left = weight[(score >= cut) & (label == 0)]
    assert left.sum() ** 2 / (left**2).sum() >= 50.0


def test_a_cut_without_background_does_not_win():
    score, label = np.array([0.0] * 50 + [5.0]), np.array([0] * 49 + [1, 1])
    assert np.isfinite(significance(score, label))
    assert np.isfinite(ams(score, label))


def test_weights_are_counted_with_their_scale():
    score, label, weight = events()
    assert ams(score, label, 3.0 * weight) == pytest.approx(ams(score, label, weight, scale=3.0))


def test_a_score_that_is_no_number_has_no_significance():
    score, label, weight = events()
    score[3] = np.nan
    assert np.isnan([significance(score, label, weight), ams(score, label, weight)]).all()
