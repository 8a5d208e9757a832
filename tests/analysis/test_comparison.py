"""Simulation against data: equal samples look equal, unlike ones are told apart, and a reweighting mends them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tsunagu.analysis.closure import closure
from tsunagu.analysis.comparison import compare_variables, reweight, two_sample_test
from tsunagu.analysis.distances import chi_square, common_edges
from tsunagu.analysis.sample import Sample
from tsunagu.errors import DataError


def sample(events, seed, mean=0.0, weights=False):
    draw = np.random.default_rng(seed)
    x = draw.normal(mean, 1.0, events)
    weight = np.where(draw.random(events) < 0.1, -1.0, 1.0) * 0.7 if weights else np.ones(events)
    return Sample(
        variables={"pt": x, "eta": draw.normal(0.0, 1.0, events)},
        weight=weight,
        event_number=np.arange(events) + 10_000_000 * seed,
    )


@pytest.mark.parametrize("weights", [False, True])
def test_equal_samples_are_not_told_apart(weights):
    found = two_sample_test(sample(800, 1, weights=weights), sample(600, 2), permutations=40)
    assert abs(found.auc - 0.5) < 3 * found.error
    assert found.p_value > 0.02


def test_unlike_samples_are_and_a_reweighting_mends_them():
    simulation, data = sample(1500, 3, weights=True), sample(1000, 4, mean=0.4)
    found = reweight(simulation, data, largest=6.0)
    result = closure(simulation, data, found, permutations=40)
    assert result.before.p_value == pytest.approx(1 / 41)
    assert result.before.auc > 0.5 + 3 * result.before.error
    assert abs(result.after.auc - 0.5) < 0.6 * abs(result.before.auc - 0.5)
    before, after = (each["pt"][0].value for each in (result.variables_before, result.variables_after))
    assert after < 0.6 * before
    assert (simulation.weight * found.factor).sum() == pytest.approx(simulation.weight.sum())
    assert found.effective_after < found.effective_before


def test_the_same_seed_gives_the_same_factors():
    simulation, data = sample(300, 5), sample(300, 6)
    one, other = (reweight(simulation, data, seed=3).factor for _ in range(2))
    assert np.array_equal(one, other)


def test_chi_square_follows_its_distribution_with_signed_weights():
    values = []
    for seed in range(60):
        one, other = sample(600, 2 * seed, weights=True), sample(600, 2 * seed + 1)
        values.append(compare_variables(one, other, bins=10)["pt"][0])
    p_values = [each.p_value for each in values]
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3
    assert values[0].p_value == pytest.approx(stats.chi2.sf(values[0].value, values[0].degrees))


def test_an_event_and_its_opposite_cancel():
    one = np.array([0.1, 0.5, 0.9])
    value = chi_square(np.append(one, [0.2, 0.2]), [1, 1, 1, 1, -1], one, np.ones(3), [0, 0.4, 1], least=0.0)
    assert value.value == 0.0


def test_whole_numbers_have_bins_of_their_own():
    assert common_edges([1, 2, 2, 4], np.ones(4)).tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]


def test_mistakes():
    one = sample(100, 1)
    with pytest.raises(DataError, match="simulation has x and data pt, eta"):
        compare_variables(
            Sample(variables={"x": one.weight}, weight=one.weight, event_number=one.event_number), one
        )
    with pytest.raises(DataError, match="must be above 1"):
        reweight(one, one, largest=1.0)
    with pytest.raises(DataError, match="weights with a positive sum"):
        Sample(variables=one.variables, weight=-one.weight, event_number=one.event_number)
    with pytest.raises(DataError, match="1 of 100 values of pt are NaN"):
        Sample(
            variables={"pt": np.append(np.ones(99), np.nan)}, weight=one.weight, event_number=one.event_number
        )
