"""Metrics of each class against definitions, and working points that are chosen on other events."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tsunagu.errors import DataError
from tsunagu.metrics import (
    WorkingPoint,
    accuracy,
    auc,
    average_precision,
    balanced_accuracy,
    class_odds,
    efficiency,
    parse_metric,
    purity,
    rejection,
    selected,
    working_point,
)

DRAW = np.random.default_rng(4)
LOGITS = DRAW.normal(0.0, 1.0, (400, 3))
LABEL = DRAW.integers(0, 3, 400)
LOGITS[np.arange(400), LABEL] += 1.0
WEIGHT = DRAW.uniform(0.5, 2.0, 400)
CALLED = LOGITS.argmax(axis=1)
ODDS = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("c", [0, 1, 2])
def test_by_definition(c):
    own, called = c == LABEL, c == CALLED
    both = WEIGHT[own & called].sum()
    assert efficiency(LOGITS, LABEL, WEIGHT, class_=c) == pytest.approx(both / WEIGHT[own].sum())
    assert accuracy(LOGITS, LABEL, WEIGHT, class_=c) == efficiency(LOGITS, LABEL, WEIGHT, class_=c)
    assert purity(LOGITS, LABEL, WEIGHT, class_=c) == pytest.approx(both / WEIGHT[called].sum())
    np.testing.assert_allclose(class_odds(LOGITS, c), np.log(ODDS[:, c] / (1 - ODDS[:, c])))
    pairs = ODDS[own, c][:, None] > ODDS[~own, c]
    expected = (WEIGHT[own][:, None] * WEIGHT[~own] * pairs).sum() / (WEIGHT[own].sum() * WEIGHT[~own].sum())
    assert auc(LOGITS, LABEL, WEIGHT, class_=c) == pytest.approx(expected)


def test_balanced_accuracy_is_the_mean_over_classes_whatever_their_sizes():
    each = [efficiency(LOGITS, LABEL, class_=c) for c in range(3)]
    assert balanced_accuracy(LOGITS, LABEL) == pytest.approx(np.mean(each))
    assert balanced_accuracy(LOGITS, LABEL, np.where(LABEL == 0, 50.0, 1.0)) == pytest.approx(np.mean(each))


def test_average_precision_by_definition_with_ties():
    score, label = np.array([3.0, 2.0, 2.0, 1.0, 0.0]), np.array([1, 1, 0, 0, 1])
    # Thresholds 3: 1/1; 2: 2/3; 1: 2/4; 0: 3/5.
    assert average_precision(score, label) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert average_precision(score, label, class_=0) == pytest.approx(average_precision(-score, 1 - label))


@pytest.mark.parametrize("metric", [auc, average_precision, efficiency, purity, rejection, accuracy])
def test_an_event_and_its_negative_copy_cancel(metric):
    twice = [np.concatenate([part, part[:50]]) for part in (LOGITS, LABEL)]
    signed = np.concatenate([WEIGHT, -WEIGHT[:50]])
    without = metric(LOGITS[50:], LABEL[50:], WEIGHT[50:], class_=1)
    if metric is rejection:
        point = working_point(LOGITS, LABEL, class_=1, at=0.5)
        assert metric(*twice, signed, class_=1, point=point) == pytest.approx(
            metric(LOGITS[50:], LABEL[50:], WEIGHT[50:], class_=1, point=point)
        )
    elif metric is average_precision:
        assert metric(*twice, signed, class_=1) == pytest.approx(without, abs=0.02)
    else:
        assert metric(*twice, signed, class_=1) == pytest.approx(without)


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_a_cut_keeps_the_efficiency_and_no_more_than_it_must(at):
    point = working_point(LOGITS, LABEL, WEIGHT, class_=2, at=at)
    kept = efficiency(LOGITS, LABEL, WEIGHT, class_=2, point=point)
    assert at <= kept <= at + WEIGHT.max() / WEIGHT[LABEL == 2].sum()
    passed = selected(LOGITS, point) & (LABEL != 2)
    expected = WEIGHT[LABEL != 2].sum() / WEIGHT[passed].sum()
    assert rejection(LOGITS, LABEL, WEIGHT, class_=2, at=at) == pytest.approx(expected)


def test_a_point_of_validation_events_is_used_on_others():
    call = parse_metric("efficiency(z, y, class=1, at=0.5)")
    valid, test = ({"z": LOGITS[part], "y": LABEL[part]} for part in (slice(0, 200), slice(200, 400)))
    point = call.point(valid, None)
    assert call.evaluate(valid, None, point) == call.evaluate(valid, None) == pytest.approx(0.5, abs=0.02)
    there = efficiency(test["z"], test["y"], class_=1, point=point)
    assert call.evaluate(test, None, point) == there != call.evaluate(test, None)
    assert parse_metric("auc(z, y, class=1)").point(valid, None) is None
    assert parse_metric("rejection(z, y)").point(valid, None) == working_point(*valid.values(), at=0.5)


def test_a_prior_is_a_shift_of_the_logits():
    rule = working_point(LOGITS, LABEL, class_=1, prior=0.01)
    shares = np.bincount(LABEL) / 400
    new = np.where(np.arange(3) == 1, 0.01, 0.99 * shares / (1 - shares[1]))
    expected = (LOGITS + np.log(new / shares)).argmax(axis=1) == 1
    assert selected(LOGITS, rule).tolist() == expected.tolist()
    assert efficiency(LOGITS, LABEL, class_=1, prior=0.01) < efficiency(LOGITS, LABEL, class_=1)
    same = working_point(LOGITS, LABEL, class_=1, prior=float(shares[1]))
    assert same.shift == pytest.approx((0.0,) * 3, abs=1e-12)


def test_one_score_is_class_one():
    score, label = LOGITS[:, 1] - LOGITS[:, 0], np.minimum(LABEL, 1)
    assert efficiency(score, label) == accuracy(score, label, class_=1)
    assert purity(score[:, None], label) == purity(np.stack([0 * score, score], 1), label)
    assert auc(score, label, class_=0) == pytest.approx(auc(score, label))


def test_what_is_not_defined():
    nothing = np.full(4, -5.0)
    assert math.isnan(purity(nothing, [0, 1, 0, 1]))
    assert math.isnan(efficiency([math.nan, 1.0], [0, 1]))
    assert math.isnan(average_precision([math.nan, 1.0], [0, 1]))
    assert math.isnan(rejection([math.nan, 1.0], [0, 1]))
    assert rejection([0.0, 1.0], [0, 1], at=0.5) == math.inf
    for broken, message in (
        (lambda: efficiency(LOGITS, LABEL, class_=3), "class 3 of 3 classes, which are 0 to 2"),
        (lambda: efficiency(LOGITS, LABEL, at=1.0), "at must be between 0 and 1, found 1"),
        (lambda: efficiency(LOGITS, LABEL, at=0.5, prior=0.5), "not both"),
        (lambda: efficiency([1.0], [0]), "efficiency: class 1: the weights of 0 events"),
        (lambda: working_point([1.0], [0], prior=0.5), "class 1 has the share 0"),
        (lambda: efficiency(LOGITS[:, :, None], LABEL), r"a score must be \[E\], \[E, 1\] or \[E, C\]"),
    ):
        with pytest.raises(DataError, match=message):
            broken()
    assert WorkingPoint(class_=1) == working_point([1.0], [0])
