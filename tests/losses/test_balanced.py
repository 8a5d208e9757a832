"""Class-balanced losses against the numbers of the paper's formula."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from tsunagu.losses import class_balanced_weights, class_sizes, effective_number, find_loss, weighted_mean

WEIGHTED = ["inverse_frequency", "class_balanced", "class_balanced_binary", "class_balanced_focal"]
LOGITS = torch.randn(50, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
LABELS = torch.arange(50).clamp(max=9) % 3


def test_at_one_all_weights_are_one_and_the_loss_is_the_cross_entropy_to_the_bit(tail):
    assert class_balanced_weights(tail, 1.0) == (1.0,) * 10
    loss = find_loss("class_balanced")(one_minus_beta=1.0).fitted(LABELS, torch.ones(50))
    assert torch.equal(loss(LOGITS, LABELS), find_loss("cross_entropy")()(LOGITS, LABELS))


@pytest.mark.parametrize("one_minus_beta", [0.0, 1e-12])
def test_near_zero_it_is_the_inverse_frequency(tail, one_minus_beta):
    expected = [
        0.040236,
        0.067128,
        0.112017,
        0.186799,
        0.311911,
        0.519851,
        0.867166,
        1.447356,
        2.423885,
        4.02365,
    ]
    assert class_balanced_weights(tail, one_minus_beta) == pytest.approx(expected, abs=1e-5)
    assert find_loss("inverse_frequency")(sizes=tail).weights == pytest.approx(expected, abs=1e-5)


def test_the_default_of_the_paper_pinned(tail):
    expected = [
        0.050611,
        0.0769,
        0.121134,
        0.195037,
        0.318805,
        0.52459,
        0.868349,
        1.442627,
        2.409223,
        3.992724,
    ]
    assert class_balanced_weights(tail, 1e-4) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("one_minus_beta", "ratio"), [(1e-2, 2.531684), (1e-3, 20.356423), (1e-4, 78.889872), (1e-5, 97.565526)]
)
def test_the_ratio_of_tail_and_head_pinned(tail, one_minus_beta, ratio):
    weights = class_balanced_weights(tail, one_minus_beta)
    assert weights[-1] / weights[0] == pytest.approx(ratio, rel=1e-6)
    assert sum(weights) == pytest.approx(len(tail))


@pytest.mark.parametrize(
    ("one_minus_beta", "weights", "tolerance"),
    [
        (1e-4, (0.2764, 1.7236), 5e-5),
        (1e-3, (0.7748, 1.2252), 5e-5),
        (1e-2, (1.0, 1.0), 5e-5),
        (0.1, (1.0, 1.0), 1e-9),
    ],
)
def test_nine_to_one_of_the_talk(one_minus_beta, weights, tolerance):
    """Where 1 - beta is far above 1 / n of the smallest class, nothing happens."""
    assert class_balanced_weights((9000, 1000), one_minus_beta) == pytest.approx(weights, abs=tolerance)


def test_beta_that_float32_cannot_tell_from_one():
    assert effective_number([1e3, 1e9], 1e-8).tolist() == pytest.approx([1e3, 99995460.007], rel=1e-5)
    loss = find_loss("class_balanced")(sizes=(1e3, 1e9), one_minus_beta=1e-8)
    assert torch.isfinite(loss(torch.zeros(2), torch.tensor([0, 1]))).all()


@pytest.mark.parametrize(
    ("one_minus_beta", "bias"), [(1.0, -2.197), (1e-2, -2.197), (1e-3, -1.739), (1e-4, -0.367), (1e-5, -0.04)]
)
def test_class_weights_move_the_bias_and_nothing_else(fit_gaussians, log_odds, one_minus_beta, bias):
    slope, found = fit_gaussians(
        find_loss("class_balanced")(sizes=(9000, 1000), one_minus_beta=one_minus_beta)
    )
    sizes = effective_number([9000, 1000], one_minus_beta)
    assert slope == pytest.approx(2.0, abs=1e-6)
    assert found == pytest.approx(log_odds + math.log(sizes[0] / sizes[1]), abs=1e-6)
    assert found == pytest.approx(bias, abs=1e-3)


@pytest.mark.parametrize("key", WEIGHTED)
def test_the_two_reductions(key):
    """By events the class weights are factors; by weights, all training events at once have torch's denominator."""
    weight = torch.linspace(0.5, 1.5, 50, dtype=torch.float64)
    by_events, by_weights = (
        find_loss(key)(reduction=name).fitted(LABELS, weight) for name in ("events", "weights")
    )
    of_class = torch.tensor(by_events.weights, dtype=torch.float64)[LABELS]
    plain = by_events(LOGITS, LABELS) / of_class
    assert sum(by_events.weights) == pytest.approx(3.0)
    torch.testing.assert_close(
        weighted_mean(by_events(LOGITS, LABELS), weight), (weight * of_class * plain).sum() / weight.sum()
    )
    torch.testing.assert_close(
        weighted_mean(by_weights(LOGITS, LABELS), weight),
        (weight * of_class * plain).sum() / (weight * of_class).sum(),
    )


def test_by_weights_is_torch_on_the_training_events_and_differs_by_one_factor_on_a_batch():
    loss = find_loss("class_balanced")(reduction="weights", one_minus_beta=1e-2).fitted(
        LABELS, torch.ones(50)
    )
    by_events = find_loss("class_balanced")(one_minus_beta=1e-2).fitted(LABELS, torch.ones(50))
    factors = torch.tensor(by_events.weights, dtype=torch.float64)
    torch.testing.assert_close(
        loss(LOGITS, LABELS).mean(), functional.cross_entropy(LOGITS, LABELS, weight=factors)
    )
    few = slice(0, 7)
    theirs = functional.cross_entropy(LOGITS[few], LABELS[few], weight=factors)
    ratio = factors[LABELS[few]].mean() / factors[LABELS].mean()
    torch.testing.assert_close(loss(LOGITS[few], LABELS[few]).mean(), theirs * ratio)


def test_sigmoids_by_hand():
    loss = find_loss("class_balanced_binary")(sizes=(30, 20, 10))
    own = functional.one_hot(LABELS, 3).double()
    each = functional.binary_cross_entropy_with_logits(LOGITS, own, reduction="none").sum(1)
    torch.testing.assert_close(
        loss(LOGITS, LABELS), torch.tensor(loss.weights, dtype=torch.float64)[LABELS] * each
    )


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_by_hand_with_the_weight_outside(gamma):
    loss = find_loss("class_balanced_focal")(sizes=(30, 20, 10), gamma=gamma)
    sign = 2.0 * functional.one_hot(LABELS, 3).double() - 1.0
    p = torch.sigmoid(sign * LOGITS)
    each = -((1 - p) ** gamma * p.log()).sum(1)
    torch.testing.assert_close(
        loss(LOGITS, LABELS), torch.tensor(loss.weights, dtype=torch.float64)[LABELS] * each
    )


def test_focal_with_gamma_zero_is_the_sum_of_sigmoids():
    one, other = (
        find_loss("class_balanced_focal")(sizes=(3, 2, 1), gamma=0.0),
        find_loss("class_balanced_binary")(sizes=(3, 2, 1)),
    )
    torch.testing.assert_close(one(LOGITS, LABELS), other(LOGITS, LABELS))


@pytest.mark.parametrize(
    "key", ["inverse_frequency", "class_balanced", "logit_adjusted", "balanced_softmax", "focal"]
)
def test_one_logit_is_two_logits(key):
    z, y = LOGITS[:, 0], LABELS.clamp(max=1)
    loss = find_loss(key)() if key == "focal" else find_loss(key)(sizes=(40, 10))
    two = torch.stack([torch.zeros_like(z), z], 1)
    torch.testing.assert_close(loss(z, y), loss(two, y))
    torch.testing.assert_close(loss(z[:, None], y), loss(two, y))


@pytest.mark.parametrize(
    ("counts", "sizes"), [("events", (3, 2)), ("weights", (4.0, 5.0)), ("effective", (16 / 6, 25 / 13))]
)
def test_events_are_counted_in_three_ways(counts, sizes):
    target, weight = torch.tensor([0, 1, 0, 0, 1]), torch.tensor([1.0, 2.0, 1.0, 2.0, 3.0])
    loss = find_loss("class_balanced")(counts=counts).fitted(target, weight)
    assert loss.sizes == pytest.approx(sizes)
    assert loss.shares == pytest.approx((4 / 9, 5 / 9))
    assert loss.fitted(target[:0], weight[:0]) is loss


def test_signed_weights_count_with_their_sign():
    target, weight = torch.tensor([0, 0, 1, 1]), torch.tensor([1.0, -0.5, -1.0, 0.5])
    assert class_sizes(target, weight)[0] == (2.0, 2.0)
    with pytest.raises(
        ValueError,
        match=r"class 1 have no positive sum \(sums by class: 0: 0.5, 1: -0.5\); take counts: events",
    ):
        class_sizes(target, weight, counts="weights")


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 0, 2], None, r"no training event of class 1 \(events by class: 0: 2, 1: 0, 2: 1\)"),
        ([0, 0], None, r"no training event of class 1 \("),
        ([0, 1], 4, "no training event of class 2 and 3"),
        ([], None, "no training event of class 0 and 1"),
    ],
)
def test_an_absent_class_is_an_error_with_all_counts(labels, classes, message):
    with pytest.raises(ValueError, match=message):
        find_loss("inverse_frequency")(classes=classes).fitted(torch.tensor(labels), torch.ones(len(labels)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"one_minus_beta": 1.5}, "one_minus_beta must be 0 to 1, found 1.5"),
        ({"counts": "all"}, "counts must be one of events, weights, effective"),
        ({"reduction": "mean"}, "reduction must be one of events, weights"),
        ({"sizes": [3, 0]}, "sizes must be positive"),
        ({"sizes": [3, 1], "classes": 3}, "sizes of 2 classes, but classes is 3"),
    ],
)
def test_settings_that_mean_nothing(settings, message):
    with pytest.raises(ValueError, match=message):
        find_loss("class_balanced")(**settings)


def test_other_numbers_of_classes_and_a_loss_that_is_not_fitted_say_so():
    with pytest.raises(ValueError, match=r"\[E, 2\] and \[E\] expected, found \[50, 3\]"):
        find_loss("class_balanced")(sizes=(3, 1))(LOGITS, LABELS)
    with pytest.raises(ValueError, match=r"found 3 classes; give \[E, 3\] logits"):
        find_loss("class_balanced")(sizes=(3, 1, 1))(LOGITS[:, 0], LABELS)
    with pytest.raises(ValueError, match="ClassBalanced does not know the classes"):
        find_loss("class_balanced")()(LOGITS, LABELS)


def test_a_list_of_a_study_file_makes_an_equal_loss():
    assert find_loss("class_balanced")(sizes=[9, 1]) == find_loss("class_balanced")(sizes=(9.0, 1.0))
