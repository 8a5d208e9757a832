"""MGDA: a direction that no loss grows along, whatever the normalisation."""

from __future__ import annotations

import pytest
import torch

from tsunagu.losses import Mgda

NORMALISATIONS = ("none", "l2", "loss", "loss+")


def _rows(seed, losses=3, weights=6):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(losses, weights, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_no_loss_grows_and_the_update_is_an_average(normalisation, seed, seen_of):
    rows = _rows(seed) * torch.tensor([[0.1], [1.0], [10.0]])
    combined = Mgda(normalisation=normalisation).combine(seen_of(rows, [0.3, 2.0, 5.0]))
    weights = combined.weights[0]
    assert weights.sum().item() == pytest.approx(1.0)
    assert bool((weights >= 0.0).all())
    assert bool((rows @ (weights @ rows) > 0.0).all())
    assert combined.own is None


@pytest.mark.parametrize(
    ("normalisation", "scale"),
    [("none", [1.0, 1.0]), ("l2", [1.0, 2.0]), ("loss", [3.0, 0.5]), ("loss+", [3.0, 1.0])],
)
def test_a_normalisation_is_the_plain_one_on_scaled_gradients(normalisation, scale, seen_of):
    rows, scale = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.float64), torch.tensor(scale)
    combined = Mgda(normalisation=normalisation).combine(seen_of(rows, [3.0, 0.5]))
    shares = Mgda().combine(seen_of(rows / scale[:, None])).weights / scale
    assert torch.allclose(combined.weights, shares / shares.sum())


def test_losses_in_other_units_leave_the_direction_under_a_normalisation(seen_of):
    rows, unit = _rows(1), torch.tensor([[1000.0], [1.0], [0.1]])
    losses = torch.tensor([1.0, 2.0, 3.0])

    def direction(normalisation, rows, losses):
        found = Mgda(normalisation=normalisation).combine(seen_of(rows, losses)).weights[0] @ rows
        return found / found.norm()

    for normalisation, same in (("l2", True), ("loss", True), ("none", False)):
        one = direction(normalisation, rows, losses)
        other = direction(normalisation, unit * rows, unit[:, 0] * losses)
        assert torch.allclose(one, other) is same


@pytest.mark.parametrize("rows", [torch.zeros(2, 3), torch.tensor([[1.0, 0.0], [0.0, 0.0]])])
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_a_loss_without_a_gradient_or_a_value_is_no_accident(normalisation, rows, seen_of):
    weights = Mgda(normalisation=normalisation).combine(seen_of(rows, [0.0, 1.0])).weights
    assert weights.isfinite().all()


def test_other_normalisations_are_refused():
    with pytest.raises(ValueError, match=r"one of none, l2, loss, loss\+; found 'l1'"):
        Mgda(normalisation="l1")
