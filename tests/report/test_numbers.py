"""The numbers behind the figures against numbers worked out by hand, and against laws that must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.metrics import auc
from tsunagu.report.numbers import (
    TAU_MASS,
    across_seeds,
    binned_quantiles,
    even_edges,
    histogram,
    invariant_mass,
    mean_rejection,
    merge_sparse,
    rejection,
    widening_edges,
)

GRID = np.linspace(0.01, 1.0, 100)


def random_scores(seed: int, events: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    label = (np.arange(events) % 2).astype(float)
    return generator.normal(label, 1.0), label, generator.uniform(0.5, 2.0, events)


def test_rejection_by_hand():
    # Above 2.5: both signals, weight 1 of the background's 4. Above 0.5: everything.
    score, label = np.array([3.0, 4.0, 3.5, 1.0]), np.array([1.0, 1.0, 0.0, 0.0])
    weight = np.array([1.0, 1.0, 1.0, 3.0])
    found = rejection(score, label, weight, np.array([1.0]), least=0)
    assert found == pytest.approx([4.0]) or found == pytest.approx([1.0])
    assert rejection(score, label, weight, np.array([0.75]), least=0) == pytest.approx([4.0])


def test_rejection_is_unknown_where_too_few_background_events_pass():
    score, label = np.arange(200.0), (np.arange(200) >= 100).astype(float)
    found = rejection(np.where(label == 1, score - 50, score), label, np.ones(200), GRID, least=10)
    # The signal is 50..149, the background 0..99: above 90 lie 60 signal and 10 background events.
    assert np.isnan(found[:57]).all()
    assert np.isfinite(found[62:]).all()


@given(st.integers(0, 10_000))
def test_rejection_never_rises_with_efficiency(seed):
    curve = rejection(*random_scores(seed), GRID)
    known = curve[np.isfinite(curve)]
    assert (np.diff(known) <= 1e-12).all()
    assert (known >= 1).all()
    assert known[-1] == pytest.approx(1.0)


def test_rejection_has_the_area_of_the_metric():
    sample = random_scores(1, 4000)
    curve = rejection(*sample, np.linspace(0.001, 1.0, 1000), least=0)
    false = np.where(np.isfinite(curve), 1 / curve, 0.0)
    assert 1 - false.mean() == pytest.approx(auc(*sample), abs=0.005)


def test_mean_rejection_is_geometric():
    middle, low, high = mean_rejection([np.array([10.0]), np.array([1000.0])])
    assert middle == pytest.approx([100.0])
    assert (low, high) == (pytest.approx([100 / 10 ** np.sqrt(2)]), pytest.approx([100 * 10 ** np.sqrt(2)]))


def test_one_seed_has_no_spread():
    mean, spread = across_seeds([np.array([2.0, 3.0])])
    assert mean.tolist() == [2.0, 3.0]
    assert spread.tolist() == [0.0, 0.0]


def test_histogram_by_hand_with_a_negative_weight():
    fraction, error = histogram(
        np.array([0.5, 0.5, 1.5, 9.0]), np.array([3.0, -1.0, 1.0, 1.0]), np.array([0.0, 1, 2])
    )
    assert fraction == pytest.approx([0.5, 0.25])
    assert error == pytest.approx([np.sqrt(10) / 4, 0.25])


@given(st.floats(5, 200), st.floats(-2.5, 2.5), st.floats(-3.1, 3.1), st.floats(-4, 4), st.floats(5, 200))
def test_mass_of_massless_pairs_follows_the_closed_formula(pt, eta, phi, gap, other):
    pair = np.array([[[pt, eta, phi], [other, eta / 2 - 1, phi + gap]]])
    expected = np.sqrt(2 * pt * other * (np.cosh(eta - eta / 2 + 1) - np.cos(gap)))
    assert invariant_mass(pair, mass=0.0) == pytest.approx([expected], rel=1e-6, abs=1e-4)


def test_mass_by_hand():
    at_rest = np.array([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    assert invariant_mass(at_rest) == pytest.approx([2 * TAU_MASS])
    with_own_masses = np.array([[[3.0, 0.0, 0.0, 4.0], [3.0, 0.0, np.pi, 4.0]]])
    assert invariant_mass(with_own_masses) == pytest.approx([10.0])


def test_mass_is_not_finite_where_nothing_supervised_the_momenta():
    assert not np.isfinite(invariant_mass(np.array([[[1.0, 2000.0, 0.0], [1.0, -2000.0, 0.0]]])))[0]


@pytest.mark.parametrize(("low", "high", "most"), [(40.0, 180.0, 60), (0.0, 10.0, 10), (30.0, 1000.0, 37)])
def test_even_edges_are_round_and_cover_the_range(low, high, most):
    edges = even_edges(low, high, most)
    assert edges[0] == low
    assert high <= edges[-1] < high + (edges[1] - edges[0])
    assert len(edges) - 1 <= most
    digits = (edges[1] - edges[0]) / 10 ** np.floor(np.log10(edges[1] - edges[0]))
    assert min(abs(digits - each) for each in (1, 2, 2.5, 5, 10)) < 1e-9


def test_widening_edges_rise():
    edges = widening_edges(20.0, 200.0)
    assert (np.diff(np.diff(edges)) > 0).all()


@given(st.lists(st.floats(0, 8), min_size=1, max_size=300), st.integers(1, 60))
def test_no_bin_is_sparse_unless_it_is_the_only_one(values, least):
    inside = np.minimum(np.array(values), 7.999)
    edges = merge_sparse(np.arange(9.0), inside, least)
    assert (edges[0], edges[-1]) == (0.0, 8.0)
    assert len(edges) == 2 or np.histogram(inside, edges)[0].min() >= least


def test_binned_quantiles_by_hand():
    values, at = np.concatenate([np.arange(100.0), np.full(30, 7.0)]), np.repeat([0.5, 1.5], [100, 30])
    low, median, high = binned_quantiles(values, np.ones(130), at, np.array([0.0, 1.0, 2.0, 3.0]))
    assert (low[0], median[0], high[0]) == (15.0, 49.0, 83.0)
    assert (low[1], median[1], high[1]) == (7.0, 7.0, 7.0)
    assert np.isnan([low[2], median[2], high[2]]).all()
