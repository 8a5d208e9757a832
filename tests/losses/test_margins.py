"""Losses that shift logits, against what they must come to."""

from __future__ import annotations

import pytest
import torch

from tsunagu.losses import find_loss

LOGITS = torch.randn(20, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
LABELS = torch.arange(20) % 3


@pytest.mark.parametrize(("key", "settings"), [("logit_adjusted", {}), ("balanced_softmax", {})])
def test_the_logit_is_that_of_classes_of_equal_size(fit_gaussians, key, settings):
    assert fit_gaussians(find_loss(key)(sizes=(9000, 1000), **settings)) == pytest.approx(
        [2.0, 0.0], abs=1e-6
    )


@pytest.mark.parametrize("tau", [0.0, 0.5, 2.0])
def test_tau_is_what_is_taken_from_a_plain_model_afterwards(fit_gaussians, log_odds, tau):
    plain = fit_gaussians(find_loss("binary")())
    adjusted = fit_gaussians(find_loss("logit_adjusted")(sizes=(9000, 1000), tau=tau))
    assert adjusted == pytest.approx([plain[0], plain[1] - tau * log_odds], abs=1e-6)


def test_tau_zero_is_the_cross_entropy():
    loss = find_loss("logit_adjusted")(sizes=(3, 2, 1), tau=0.0)
    torch.testing.assert_close(loss(LOGITS, LABELS), find_loss("cross_entropy")()(LOGITS, LABELS))


def test_the_scale_of_the_numbers_does_not_matter():
    small, large = (find_loss("balanced_softmax")(sizes=sizes) for sizes in ((3, 2, 1), (3e9, 2e9, 1e9)))
    torch.testing.assert_close(small(LOGITS, LABELS), large(LOGITS, LABELS))
    torch.testing.assert_close(
        small(LOGITS, LABELS), find_loss("logit_adjusted")(sizes=(3, 2, 1))(LOGITS, LABELS)
    )
    n = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)
    by_hand = -torch.log(
        n[LABELS] * LOGITS.gather(1, LABELS[:, None])[:, 0].exp() / (n * LOGITS.exp()).sum(1)
    )
    torch.testing.assert_close(small(LOGITS, LABELS), by_hand)


def test_margins_pinned(tail):
    expected = [0.158114, 0.179697, 0.204238, 0.232091, 0.263829, 0.299768, 0.340675, 0.387221, 0.440497, 0.5]
    assert find_loss("ldam")(sizes=tail).margins == pytest.approx(expected, abs=1e-6)


def test_without_a_margin_it_is_the_cross_entropy_of_scaled_cosines():
    loss = find_loss("ldam")(sizes=(3, 2, 1), margin=0.0, reweighted=False)
    torch.testing.assert_close(loss(LOGITS, LABELS), find_loss("cross_entropy")()(30.0 * LOGITS, LABELS))


def test_the_margin_is_taken_from_the_true_cosine_only():
    loss = find_loss("ldam")(sizes=(16, 1), scale=2.0, reweighted=False)
    z = torch.tensor([[0.5, 0.1]], dtype=torch.float64)
    for label, shifted in ((0, [0.25, 0.1]), (1, [0.5, -0.4])):
        expected = find_loss("cross_entropy")()(
            2.0 * torch.tensor([shifted], dtype=torch.float64), torch.tensor([label])
        )
        torch.testing.assert_close(loss(z, torch.tensor([label])), expected)


@pytest.mark.parametrize(
    ("deferred", "epochs", "first"), [(0.8, 200, 160), (0.7, 10, 7), (0.0, 5, 0), (1.0, 5, 5)]
)
def test_the_class_weights_come_late(deferred, epochs, first):
    loss = find_loss("ldam")(sizes=(3, 2, 1), deferred=deferred, one_minus_beta=0.0, reduction="events")
    assert [loss.at(epoch, epochs).reweighted for epoch in range(epochs)] == [
        e >= first for e in range(epochs)
    ]
    late, early = loss.at(epochs, epochs), find_loss("ldam")(sizes=(3, 2, 1), reweighted=False)
    factor = torch.tensor(late.weights, dtype=torch.float64)[LABELS]
    torch.testing.assert_close(late(LOGITS, LABELS), factor * early(LOGITS, LABELS))
