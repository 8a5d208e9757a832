"""Several losses as one number, given how much each of them matters: pure functions, event by event or of means.

Legend: ``T`` losses on the last axis; whatever stands before it (events, a batch, nothing) is kept, and each entry has weights of its
own, as a network that is conditioned on the weights needs it.

A weighted sum reaches the convex part of a Pareto front and no other; the other three reach concave parts too. They are not linear: of
single events' losses they are something else than of the mean loss, and it is the mean that a Pareto front is made of. So reduce over events of one
weight first where there are such; with a weight drawn for each event, the sum is the one of the four that is the same either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

__all__ = ["SCALARISATIONS", "boundary_intersection", "cosine_penalised", "linear", "smooth_tchebycheff"]

TINY = 1e-12
"""Below a square root, so that its slope is finite where it is 0."""


def linear(losses: Tensor, weights: Tensor) -> Tensor:
    """``sum_t w_t L_t``.

    Args:
        losses: ``[..., T]``.
        weights: ``[..., T]``, broadcast against them.

    Returns:
        ``[...]``.

    >>> linear(torch.tensor([[1.0, 3.0], [1.0, 3.0]]), torch.tensor([[0.5, 0.5], [1.0, 0.0]])).tolist()
    [2.0, 1.0]
    """
    return (weights * losses).sum(-1)


def smooth_tchebycheff(losses: Tensor, weights: Tensor, *, mu: float = 0.1, ideal: float = 0.0) -> Tensor:
    """``mu log sum_t exp(w_t (L_t - ideal) / mu)``: the largest weighted loss, smoothed (Lin et al. 2024, arXiv:2402.19078).

    Every point of a Pareto front is its minimum for some weights. A large weight makes a loss small, as in a weighted sum.

    Args:
        losses: ``[..., T]``.
        weights: ``[..., T]``, broadcast against them.
        mu: above 0, in units of the losses; the smaller, the closer to the maximum.
        ideal: what no loss goes below.

    Returns:
        ``[...]``, at most ``mu log T`` above the largest.

    >>> smooth_tchebycheff(torch.tensor([1.0, 3.0]), torch.tensor([0.5, 0.5]), mu=0.01)
    tensor(1.5000)
    """
    _check(mu > 0.0, "mu is above 0", mu)
    return mu * torch.logsumexp(weights * (losses - ideal) / mu, -1)


def boundary_intersection(
    losses: Tensor, weights: Tensor, *, theta: float = 5.0, ideal: float = 0.0
) -> Tensor:
    """``d_1 + theta d_2``: how far the losses are along the weights, and how far off them (Zhang and Li 2007, PBI of MOEA/D).

    With ``u = w / ||w||``: ``d_1 = (L - ideal) . u`` and ``d_2 = ||L - ideal - d_1 u||``. The weights say where on the front the losses shall
    end, so a large weight makes a loss *large*, unlike in a weighted sum.

    Args:
        losses: ``[..., T]``.
        weights: ``[..., T]``, broadcast against them; not all 0.
        theta: 0 or more.
        ideal: what no loss goes below.

    Returns:
        ``[...]``.

    >>> boundary_intersection(torch.tensor([3.0, 3.0]), torch.tensor([0.5, 0.5])).round(decimals=4)
    tensor(4.2426)
    """
    _check(theta >= 0.0, "theta is 0 or more", theta)
    shifted = losses - ideal
    unit: Tensor = weights / torch.linalg.vector_norm(weights, dim=-1, keepdim=True)
    along = (shifted * unit).sum(-1, keepdim=True)
    off = (shifted - along * unit).square().sum(-1)
    distance: Tensor = along.squeeze(-1) + theta * (off + TINY).sqrt()
    return distance


def cosine_penalised(losses: Tensor, weights: Tensor, *, strength: float = 2.0) -> Tensor:
    """``w . L - strength cos(w, L)``: COSMOS (Ruchte and Grabocka 2021, arXiv:2103.13392).

    The sum pulls the losses down, and the cosine to where they are as the weights are: there a large weight goes with a *large* loss.

    Args:
        losses: ``[..., T]``, not negative.
        weights: ``[..., T]``, broadcast against them.
        strength: 0 or more; 0 is the weighted sum. The paper has 0.01 to 8.

    Returns:
        ``[...]``.

    >>> cosine_penalised(torch.tensor([1.0, 1.0]), torch.tensor([0.5, 0.5])).round(decimals=4)
    tensor(-1.)
    """
    _check(strength >= 0.0, "the strength is 0 or more", strength)
    product = linear(losses, weights)
    sizes = ((losses.square().sum(-1) + TINY) * (weights.square().sum(-1) + TINY)).sqrt()
    turned: Tensor = strength * product / sizes
    return product - turned


SCALARISATIONS: Mapping[str, Callable[..., Tensor]] = {
    "linear": linear,
    "stch": smooth_tchebycheff,
    "pbi": boundary_intersection,
    "cosmos": cosine_penalised,
}
"""By the names that they have in the literature."""


def _check(holds: bool, rule: str, found: float) -> None:
    if not holds:
        msg = f"{rule}; found {found}"
        raise ValueError(msg)
