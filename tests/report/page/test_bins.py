"""Histograms keep what is read off them: areas to a thousandth, background efficiencies down to a ten-thousandth."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.metrics import auc
from tsunagu.report.page.bins import BINS, bin_scores, binned_auc
from tsunagu.report.page.scan import Scan


def sample(seed, events=2000, distance=1.5, scale=1.0, negative=0.0, signal=0.3):
    draw = np.random.default_rng(seed)
    label = (draw.random(events) < signal).astype(np.float64)
    score = scale * (draw.normal(0.0, 1.0, events) + distance * label)
    weight = draw.uniform(0.5, 1.5, events) * np.where(draw.random(events) < negative, -1, 1)
    return score, label, weight


def binned(score, label, weight, signal=1):
    return bin_scores(Scan(scores=score[None], labels=label, weights=weight), signal)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"distance": 0.2},
        {"distance": 4.0},
        {"scale": 1e-3},
        {"scale": 20.0},
        {"negative": 0.1, "events": 8000},
        {"signal": 0.02, "events": 20000},
        {"signal": 0.95, "events": 20000},
    ],
)
def test_the_area_is_the_exact_one_to_a_thousandth(seed, change):
    events = sample(seed, **change)
    assert binned_auc(binned(*events).shares)[0] == pytest.approx(auc(*events), abs=1e-3)


def test_small_background_efficiencies_can_be_read():
    score, label, weight = sample(1, events=400_000, distance=3.0)
    found = binned(score, label, weight)
    above = np.append(
        np.cumsum(found.shares[0].astype(np.float64)[:, ::-1], axis=1)[:, ::-1], [[0.0]] * 2, axis=1
    )
    edges = found.edges[0]
    for share in (1e-2, 1e-3, 1e-4):
        cut = np.interp(share, above[0][::-1], edges[::-1])
        background = weight[label == 0]
        assert background[score[label == 0] >= cut].sum() / background.sum() == pytest.approx(share, rel=0.1)


def test_each_bin_holds_the_weights_of_the_events_in_it():
    score, label, weight = sample(2, negative=0.1)
    found = binned(score, label, weight)
    edges = found.edges[0]
    for number in (0, 1):
        own = label == number
        counted, _ = np.histogram(
            np.clip(score[own], edges[0], edges[-1]), np.unique(edges), weights=weight[own]
        )
        kept = np.diff(edges) > 0
        assert found.shares[0, number][kept] == pytest.approx(counted / weight[own].sum(), abs=2e-4)
        assert not found.shares[0, number][~kept].any()
    assert found.shares.sum(axis=2) == pytest.approx(np.ones((1, 2)), abs=2e-3)


@pytest.mark.parametrize("values", [[0.0], [-1.0, 1.0], [0.25, 0.5, 0.75]])
def test_equal_scores_stay_together(values):
    draw = np.random.default_rng(3)
    label = np.arange(600) % 2
    score = draw.choice(values, 600) + 0.0
    found = binned(score, label, np.ones(600))
    assert (found.shares[0] > 0).any(axis=0).sum() == len(values)
    assert binned_auc(found.shares)[0] == pytest.approx(auc(score, label), abs=1e-3)


def test_the_other_class_as_signal_has_the_same_area():
    events = sample(4)
    assert binned_auc(binned(*events, signal=0).shares)[0] == pytest.approx(auc(*events), abs=1e-3)
    assert binned(*events).shares.shape == (1, 2, BINS)
