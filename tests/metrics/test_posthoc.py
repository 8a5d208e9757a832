"""Corrections of trained scores, against what they must come to."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.errors import DataError
from tsunagu.metrics import Isotonic, Temperature, adjust_logits, probabilities, reliability

DRAW = np.random.default_rng(8)


def gaussians(events, share):
    """x | y ~ N(+-1, 1): the logit is 2 x + log(pi1 / pi0)."""
    label = (DRAW.random(events) < share).astype(int)
    return DRAW.normal(2.0 * label - 1.0, 1.0), label


def test_other_shares_move_the_bias_to_the_known_one():
    x = np.linspace(-2.0, 2.0, 5)
    trained = 2.0 * x + np.log(0.1 / 0.9)
    assert adjust_logits(trained, [0.9, 0.1], [0.5, 0.5]) == pytest.approx(2.0 * x)
    assert adjust_logits(trained, [0.9, 0.1], [1, 3], tau=0.0) == pytest.approx(trained)
    assert adjust_logits(trained, [9, 1], [0.9, 0.1]) == pytest.approx(trained)


def test_two_logits_are_moved_as_one_and_three_as_bayes_says():
    z = DRAW.normal(0.0, 1.0, (6, 2))
    one = adjust_logits(z[:, 1] - z[:, 0], [0.7, 0.3], [0.2, 0.8])
    two = adjust_logits(z, [0.7, 0.3], [0.2, 0.8])
    assert two[:, 1] - two[:, 0] == pytest.approx(one)
    old, new, z = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8]), DRAW.normal(0.0, 1.0, (6, 3))
    expected = probabilities(z) * new / old
    np.testing.assert_allclose(
        probabilities(adjust_logits(z, old, new)), expected / expected.sum(1, keepdims=True)
    )


def test_class_weights_of_a_loss_are_undone():
    """Weights w on shares pi are shares w pi."""
    pi, w = np.array([0.9, 0.1]), np.array([0.2764, 1.7236])
    learned = np.log(pi[1] / pi[0]) + np.log(w[1] / w[0])
    assert adjust_logits([learned], w * pi, pi)[0] == pytest.approx(np.log(pi[1] / pi[0]))


@pytest.mark.parametrize("priors", [[0.5], [0.5, 0.0], [0.2, 0.3, 0.5]])
def test_shares_that_mean_nothing(priors):
    with pytest.raises(DataError, match="2 positive shares expected"):
        adjust_logits([0.0], priors, [0.5, 0.5])


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_is_found(temperature):
    x, label = gaussians(60_000, 0.3)
    logit = 2.0 * x + np.log(0.3 / 0.7)
    weight = DRAW.uniform(0.5, 1.5, len(x))
    found = Temperature.fit(temperature * logit, label, weight)
    assert found.temperature == pytest.approx(temperature, rel=0.03)
    assert found.apply([2.0]) == pytest.approx(2.0 / found.temperature)
    both = np.stack([np.zeros(len(x)), temperature * logit], 1)
    assert Temperature.fit(both, label, weight).temperature == pytest.approx(found.temperature)


def test_the_temperature_counts_weights_as_copies():
    z, label = DRAW.normal(0.0, 2.0, (50, 3)), DRAW.integers(0, 3, 50)
    copies = DRAW.integers(1, 4, 50)
    repeated = Temperature.fit(np.repeat(z, copies, axis=0), np.repeat(label, copies))
    assert Temperature.fit(z, label, copies).temperature == pytest.approx(repeated.temperature)


def test_isotonic_is_the_least_squares_fit():
    """By the formula max over a of min over b of the mean of a..b (Barlow et al. 1972)."""
    label, weight = DRAW.integers(0, 2, 40), DRAW.uniform(0.2, 2.0, 40)
    score = np.arange(40.0)

    def mean(a, b):
        return np.average(label[a : b + 1], weights=weight[a : b + 1])

    expected = [max(min(mean(a, b) for b in range(i, 40)) for a in range(i + 1)) for i in range(40)]
    mixed = DRAW.permutation(40)
    fit = Isotonic.fit(score[mixed], label[mixed], weight[mixed])
    np.testing.assert_allclose(fit.apply(score), expected)


def test_isotonic_takes_equal_scores_and_signed_weights():
    fit = Isotonic.fit([1.0, 1.0, 2.0, 2.0, 3.0], [0, 1, 0, 1, 1], [1.0, 1.0, -0.5, 0.4, 1.0])
    assert (np.diff(fit.values) >= 0).all()
    assert fit.values[0] == fit.values[1]
    assert fit.apply([-9.0, 99.0]).tolist() == [fit.values[0], 1.0]


def test_isotonic_makes_any_score_a_probability():
    x, label = gaussians(40_000, 0.5)
    truth = 1.0 / (1.0 + np.exp(-2.0 * x))
    fit = Isotonic.fit(np.sinh(x), label)
    assert np.abs(fit.apply(np.sinh(x)) - truth).mean() < 0.02
    assert reliability(fit.apply(np.sinh(x)), label).expected_error < 1e-6


@pytest.mark.parametrize("broken", [[np.nan, 1.0], [[1.0, 2.0], [1.0, 2.0]]])
def test_scores_that_are_none(broken):
    with pytest.raises(DataError, match="one finite score"):
        Isotonic.fit(broken, [0, 1])


def test_reliability_of_true_probabilities_and_of_sharpened_ones():
    x, label = gaussians(50_000, 0.3)
    logit = 2.0 * x + np.log(0.3 / 0.7)
    good, sharp = (reliability(1 / (1 + np.exp(-k * logit)), label) for k in (1.0, 3.0))
    pulls = (good.observed - good.predicted) / good.error
    assert np.abs(pulls).max() < 4.0
    assert good.share.sum() == pytest.approx(1.0)
    assert good.expected_error < 0.01
    assert sharp.expected_error > 0.04


def test_reliability_with_signed_weights_and_an_empty_bin():
    once = reliability([0.1, 0.9, 0.9], [0, 1, 0])
    twice = reliability([0.1, 0.9, 0.9, 0.9], [0, 1, 0, 0], [1.0, 1.0, 2.0, -1.0])
    np.testing.assert_allclose(once.observed, twice.observed)
    assert np.isnan(once.observed[5])
    with pytest.raises(DataError, match="one probability from 0 to 1"):
        reliability([1.5], [1])
