"""Optimal binning: exact against all binnings there are, within its rules, and blind to the fold it is used on."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.analysis.binning import (
    best_binning,
    cross_fitted_binning,
    greedy_binning,
    number_in_folds,
)
from tsunagu.analysis.counts import bin_numbers, count_bins
from tsunagu.analysis.fine import Rules, fine_bins
from tsunagu.errors import DataError
from tsunagu.metrics import asimov_significance


def sums(score, own, weight, edges):
    number = bin_numbers(score, edges)
    parts = [count_bins(number[part], weight[part], len(edges) - 1) for part in (own, ~own)]
    return parts[0].sums, parts[1].sums, parts[1].variances


def squared(s, b, variance, uncertainty=0.0):
    return float((asimov_significance(s, b, np.sqrt(variance + (uncertainty * b) ** 2)) ** 2).sum())


def fine_edges(score, own, weight, rules):
    return fine_bins(score, own, weight, rules).edges


@pytest.mark.parametrize("uncertainty", [0.0, 0.2])
@pytest.mark.parametrize("negative", [0.0, 0.2])
def test_it_is_the_best_of_all_binnings(scored, uncertainty, negative):
    score, own, weight, _ = scored(400, negative=negative)
    rules = Rules(bins=4, fine=10, min_background=8.0, max_error=0.4, uncertainty=uncertainty)
    edges = fine_edges(score, own, weight, rules)
    best = dict.fromkeys(range(1, 5), -np.inf)
    for k in range(1, 5):
        for inner in combinations(range(1, len(edges) - 1), k - 1):
            s, b, v = sums(score, own, weight, edges[[0, *inner, len(edges) - 1]])
            if (b > 0).all() and (b**2 >= 8.0 * v).all() and (v <= 0.16 * b**2).all():
                best[k] = max(best[k], squared(s, b, v, uncertainty))
    found = best_binning(score, own, weight, rules)
    assert found.by_number**2 == pytest.approx(list(best.values()))
    s, b, v = sums(score, own, weight, found.edges)
    assert found.significance**2 == pytest.approx(squared(s, b, v, uncertainty))
    assert found.significance >= 0.999 * found.by_number.max()


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 10_000),
    st.floats(1.0, 60.0),
    st.floats(0.05, 0.5),
    st.integers(1, 12),
    st.sampled_from([0.0, 0.3]),
)
def test_every_bin_keeps_the_rules(scored, seed, least, error, bins, negative):
    score, own, weight, _ = scored(1500, seed, negative=negative)
    rules = Rules(bins=bins, fine=40, min_background=least, max_error=error)
    try:
        found = best_binning(score, own, weight, rules)
    except DataError as reason:
        assert "leave no bin" in str(reason)  # noqa: PT017
        return
    _, b, v = sums(score, own, weight, found.edges)
    assert found.bins <= bins
    assert (np.diff(found.edges) > 0).all()
    assert (b > 0).all()
    assert (b**2 / v >= least * (1 - 1e-9)).all()
    assert (np.sqrt(v) / b <= error * (1 + 1e-9)).all()


def test_more_bins_never_lose(scored):
    score, own, weight, _ = scored()
    found = best_binning(score, own, weight, Rules(bins=12, min_background=5.0))
    possible = found.by_number[found.by_number > -np.inf]
    assert len(possible) > 5
    assert (np.diff(possible[:6]) > -1e-9).all()


def test_greedy_finds_nearly_the_same_for_the_same_objective(scored):
    score, own, weight, _ = scored()
    rules = Rules(bins=6, fine=40)
    exact = best_binning(score, own, weight, rules)
    greedy = greedy_binning(score, own, weight, lambda s, b, v: squared(s, b, v) ** 0.5, rules)
    assert 0.97 * exact.significance <= greedy.significance <= exact.by_number.max() * (1 + 1e-9)


def test_greedy_stops_where_nothing_is_gained(scored):
    score, own, weight, _ = scored()
    assert greedy_binning(score, own, weight, lambda s, b, v: -float(len(s)), Rules(fine=20)).bins == 1


def test_the_edges_of_a_fold_do_not_look_at_it(scored):
    score, own, weight, fold = scored()
    before = cross_fitted_binning(score, own, weight, fold)
    other = np.where(fold == 2, -score, score)
    after = cross_fitted_binning(other, own, weight, fold, Rules())
    assert np.array_equal(
        before[2].edges,
        best_binning(*(a[fold != 2] for a in (score, own, weight)), bins=before[2].bins).edges,
    )
    assert np.array_equal(after[2].edges[1:-1], before[2].edges[1:-1]) or after[2].bins != before[2].bins
    assert len({binning.bins for binning in before.values()}) == 1
    assert not np.array_equal(after[1].edges, before[1].edges)
    number = number_in_folds(score, fold, before)
    assert np.array_equal(number[fold == 3], bin_numbers(score[fold == 3], before[3].edges))


def test_optimising_on_the_evaluated_events_promises_more_than_is_there(scored):
    """The reason for all this: with no separation at all, edges that were chosen on the same events seem to separate."""
    promised, honest = [], []
    for seed in range(12):
        _, own, weight, fold = scored(600, seed, signal=1.0)
        score = np.random.default_rng(seed).normal(size=600)
        rules = Rules(bins=8, fine=60, min_background=5.0, max_error=1.0)
        found = best_binning(score, own, weight, rules)
        promised.append(found.significance / found.by_number[0])
        number = number_in_folds(score, fold, cross_fitted_binning(score, own, weight, fold, rules))
        parts = [count_bins(number[part], weight[part], number.max() + 1) for part in (own, ~own)]
        honest.append(squared(parts[0].sums, parts[1].sums, parts[1].variances) ** 0.5 / found.by_number[0])
    assert np.mean(promised) - 1 > 1.5 * (np.mean(honest) - 1)


@pytest.mark.parametrize(
    ("change", "rules", "message"),
    [
        ({"weight": lambda w, own: -w}, {}, "weights sum to -"),
        ({}, {"min_background": 1e6}, "effective background events in one bin .* min_background = 1e"),
        ({"own": lambda w, own: own | True}, {}, "signal and background are needed, found 400 and 0"),
    ],
)
def test_what_cannot_be_binned_is_told(scored, change, rules, message):
    score, own, weight, _ = scored(400)
    given_ = {"own": own, "weight": weight}
    given_ |= {name: make(weight, own) for name, make in change.items()}
    with pytest.raises(DataError, match=message):
        best_binning(score, given_["own"], given_["weight"], Rules(**rules))


@pytest.mark.parametrize("rules", [{"bins": 0}, {"bins": 5, "fine": 4}, {"max_error": -1.0}])
def test_rules_that_make_no_sense_are_refused(rules):
    with pytest.raises(DataError, match="binning: "):
        Rules(**rules)


def test_a_fold_alone_or_without_edges_is_refused(scored):
    score, own, weight, _ = scored(400)
    with pytest.raises(DataError, match="two folds or more"):
        cross_fitted_binning(score, own, weight, np.zeros(400))
    with pytest.raises(DataError, match="no edges for fold 4"):
        number_in_folds(score, np.full(400, 4), {1: None})
