"""Spread and paired comparison: against scipy, by their properties, and with pinned numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tsunagu.metrics import parse_metric
from tsunagu.studies.statistics import Spread, compare, student_factor

AUC = parse_metric("auc(score, is_higgs)").cost
numbers = st.floats(-1e3, 1e3).map(lambda value: round(value, 6))


@pytest.mark.parametrize("degrees", [*range(1, 40), 99, 100, 1001, 5000])
@pytest.mark.parametrize("level", [0.5, 0.6827, 0.95, 0.99, 0.9999])
def test_the_factor_is_the_quantile_of_students_t(level, degrees):
    assert student_factor(level, degrees) == pytest.approx(stats.t.ppf((1 + level) / 2, degrees), rel=1e-9)


@pytest.mark.parametrize(
    ("degrees", "factor"), [(1, 12.706), (2, 4.303), (9, 2.262), (30, 2.042), (120, 1.980)]
)
def test_the_factor_is_the_one_in_printed_tables(degrees, factor):
    assert student_factor(0.95, degrees) == pytest.approx(factor, abs=5e-4)


@given(st.integers(1, 200))
def test_the_factor_falls_towards_the_normal_one(degrees):
    assert student_factor(0.95, degrees) > student_factor(0.95, degrees + 1) > 1.959963


@given(st.lists(numbers, min_size=2, max_size=30))
def test_spread_is_that_of_numpy_and_scipy(values):
    spread = Spread(values=tuple(values))
    assert spread.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)
    assert spread.deviation == pytest.approx(np.std(values, ddof=1), rel=1e-9, abs=1e-9)
    assert spread.error == pytest.approx(stats.sem(values), rel=1e-9, abs=1e-9)
    low, high = spread.interval
    assert low <= spread.mean <= high


def test_one_value_has_no_spread():
    spread = Spread(values=(0.8,))
    assert (spread.mean, spread.deviation, spread.error, spread.interval) == (0.8, None, None, None)


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=25))
def test_a_comparison_is_the_paired_test_of_scipy(pairs):
    first, second = (dict(enumerate(values)) for values in zip(*pairs, strict=True))
    found = compare(first, second, AUC)
    differences = np.array(list(first.values())) - np.array(list(second.values()))
    if np.ptp(differences) < 1e-6 * (1 + np.abs(differences).max()):
        return  # scipy warns of lost digits there
    oracle = stats.ttest_rel(list(first.values()), list(second.values())).confidence_interval(0.95)
    scale = np.abs(differences).max()
    assert found.differences.mean == pytest.approx(differences.mean(), rel=1e-9, abs=1e-9 * scale)
    assert found.differences.interval == pytest.approx(oracle, rel=1e-6, abs=1e-6 * scale)


def test_pinned_comparison():
    # Student, "The probable error of a mean", Biometrika 6 (1908) 1: hours of sleep gained with two drugs.
    first = dict(enumerate([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]))
    second = dict(enumerate([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]))
    found = compare(first, second, AUC)
    assert found.pairs == 10
    assert found.differences.mean == pytest.approx(-1.58)
    assert found.differences.interval == pytest.approx((-2.4598858, -0.7001142), abs=1e-6)
    assert (found.better, found.worse) == (0, 9)


@given(st.dictionaries(st.integers(0, 9), numbers), st.dictionaries(st.integers(0, 9), numbers))
def test_a_comparison_turned_round_is_its_mirror(first, second):
    forth, back = compare(first, second, AUC), compare(second, first, AUC)
    assert forth.pairs == back.pairs == len(first.keys() & second.keys())
    assert (forth.better, forth.worse) == (back.worse, back.better)
    if forth.differences is not None:
        assert forth.differences.mean == pytest.approx(-back.differences.mean)


@given(st.dictionaries(st.integers(0, 9), numbers, min_size=2), numbers)
def test_what_all_seeds_share_takes_no_part(values, shift):
    shifted = {seed: value + shift for seed, value in values.items()}
    differences = compare(shifted, values, AUC).differences
    assert differences.mean == pytest.approx(shift, abs=1e-9)
    assert differences.deviation == pytest.approx(0, abs=1e-9)


def test_which_is_better_is_the_metrics_to_say():
    bias = parse_metric("bias(p, t)").cost
    found = compare({1: -0.01, 2: 0.05, 3: 0.02}, {1: 0.03, 2: -0.01, 3: -0.02}, bias)
    assert (found.better, found.worse) == (1, 1)


def test_pairs_without_a_number_and_without_a_partner_are_left_out():
    found = compare({1: 0.8, 2: float("nan"), 3: 0.7}, {1: 0.7, 2: 0.7, 4: 0.1}, AUC)
    assert (found.pairs, found.better, found.worse) == (1, 1, 0)
    assert found.differences.interval is None
    assert compare({1: 0.8}, {2: 0.8}, AUC).differences is None
