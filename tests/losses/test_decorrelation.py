"""Distance correlation against its definition, event by event."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tsunagu.losses import distance_correlation, find_loss

DRAW = torch.Generator().manual_seed(4)


def normal(*shape):
    return torch.randn(*shape, generator=DRAW, dtype=torch.float64)


def by_hand(x, y, weight):
    """Szekely, Rizzo & Bakirov with loops; x and y ``[E, D]``."""
    share, events = weight / weight.sum(), range(len(x))

    def centred(values):
        far = np.array([[np.sqrt(((values[i] - values[j]) ** 2).sum()) for j in events] for i in events])
        mean = [sum(share[j] * far[i, j] for j in events) for i in events]
        whole = sum(share[i] * mean[i] for i in events)
        return np.array([[far[i, j] - mean[i] - mean[j] + whole for j in events] for i in events])

    def covariance(a, b):
        return sum(share[i] * share[j] * a[i, j] * b[i, j] for i in events for j in events)

    a, b = centred(x), centred(y)
    return covariance(a, b) / np.sqrt(covariance(a, a) * covariance(b, b))


@pytest.mark.parametrize("shapes", [((), ()), ((1,), ()), ((3,), (2,))])
def test_it_is_what_the_definition_says(shapes):
    x, y = (normal(9, *shape) for shape in shapes)
    weight = torch.tensor([1.0, 2.0, 0.0, 0.5, 1.0, 3.0, 1.0, 1.0, 0.2], dtype=torch.float64)
    expected = by_hand(x.reshape(9, -1).numpy(), y.reshape(9, -1).numpy(), weight.numpy())
    assert distance_correlation(x, y, weight).item() == pytest.approx(expected, rel=1e-12)


def test_a_line_has_one_independence_nothing_and_a_parabola_something_that_a_correlation_does_not_see():
    x, other = normal(2000), normal(2000)
    ones = torch.ones(2000, dtype=torch.float64)
    assert distance_correlation(x, 3.0 - 2.0 * x, ones).item() == pytest.approx(1.0, rel=1e-12)
    assert distance_correlation(x, other, ones).item() < 0.003  # some 1 / E remains
    assert torch.corrcoef(torch.stack([x, x**2]))[0, 1].abs() < 0.1
    assert distance_correlation(x, x**2, ones).item() > 0.2
    # Of two Gaussian variables with correlation r, Theorem 7 of the paper.
    r = 0.6
    mixed = r * x + (1 - r**2) ** 0.5 * other
    root = np.sqrt(1 - r**2), np.sqrt(4 - r**2)
    exact = (r * np.arcsin(r) + root[0] - r * np.arcsin(r / 2) - root[1] + 1) / (1 + np.pi / 3 - np.sqrt(3))
    assert distance_correlation(x, mixed, ones).item() == pytest.approx(exact, abs=0.03)


def test_a_constant_has_nothing_to_tell_and_a_finite_gradient():
    flat = torch.zeros(6, requires_grad=True)
    value = find_loss("disco")().of_batch(flat, torch.arange(6.0), torch.ones(6))
    value.backward()
    assert (value.item(), torch.isfinite(flat.grad).all()) == (0.0, True)


def test_logits_are_compared_as_probabilities():
    one, mass, weight = normal(8), normal(8), torch.ones(8, dtype=torch.float64)
    disco = find_loss("disco")()
    expected = distance_correlation(torch.sigmoid(one), mass, weight)
    for logits in (one, one[:, None], torch.stack([0.0 * one, one], 1)):
        torch.testing.assert_close(disco.of_batch(logits, mass, weight), expected)
    plain = find_loss("disco")(probability=False).of_batch(one, mass, weight)
    torch.testing.assert_close(plain, distance_correlation(one, mass, weight))


def test_other_numbers_of_events_are_refused():
    with pytest.raises(
        ValueError, match="as many predictions, targets and weights expected, found 3, 2 and 3"
    ):
        distance_correlation(torch.zeros(3), torch.zeros(2), torch.ones(3))
