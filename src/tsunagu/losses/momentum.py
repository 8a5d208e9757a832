"""Losses for the calibration of momenta (pt GeV, eta, phi)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from tsunagu.losses.loss import Loss, align, event_mean, register_loss
from tsunagu.losses.parameters import Number, wide
from tsunagu.losses.regression import check_finite

__all__ = ["FourMomentum", "FourMomentumPtEtaPhi"]

_MOST_ETA = 5.0


@register_loss("four_momentum")
@final
@dataclass(frozen=True, kw_only=True)
class FourMomentum(Loss):
    """The mean squared difference of (px, py, pz), in units of 100 GeV, over the 2 x 3 components of an event.

    ``px = pt cos(phi), py = pt sin(phi), pz = pt sinh(eta)`` with eta clipped to [-5, 5], as in the public code of
    arXiv:2106.02301. Prediction and target are ``[E, N, 3]`` = (pt GeV, eta, phi), the prediction also ``[E, 3 N]``. A tau
    whose true pt is 0 is not there, as that of a QCD jet, and has no difference.

    Args:
        pt_scale: in 1/GeV.

    >>> truth = torch.tensor([[[100.0, 0.0, 0.0], [50.0, 0.0, 0.0]]])
    >>> FourMomentum()(torch.zeros(1, 2, 3), truth).tolist()
    [0.2083333283662796]
    """

    parameters: ClassVar[tuple[str, ...]] = ("pt_scale",)
    pt_scale: Number = 0.01

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        guess, aimed = _momenta(prediction, target)
        difference = _cartesian(guess) - _cartesian(aimed)
        return event_mean((difference * wide(self.pt_scale, difference)).square() * _present(aimed))

    def check(self, target: Tensor) -> str | None:
        return _check_momenta(target)


@register_loss("four_momentum_ptetaphi")
@final
@dataclass(frozen=True, kw_only=True)
class FourMomentumPtEtaPhi(Loss):
    """The mean squared difference of (x, eta, phi), ``x = log(pt * scale + 0.1)``, with dphi wrapped into [-pi, pi].

    The alternative of the public code of arXiv:2106.02301; mean over the 2 x 3 components of an event. Prediction and
    target are ``[E, N, 3]`` = (pt GeV, eta, phi), the prediction also ``[E, 3 N]``. A tau whose true pt is 0 is not there.

    Args:
        pt_scale: in 1/GeV.

    >>> truth = torch.tensor([[[90.0, 0.0, 3.0]]])
    >>> loss = FourMomentumPtEtaPhi()(torch.tensor([[[90.0, 0.0, -3.0]]]), truth)
    >>> round(loss.item(), 6) == round((2 * math.pi - 6) ** 2 / 3, 6)
    True
    """

    parameters: ClassVar[tuple[str, ...]] = ("pt_scale",)
    pt_scale: Number = 0.01

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        guess, aimed = _momenta(prediction, target)
        x = self._log_pt(guess[..., 0]) - self._log_pt(aimed[..., 0])
        eta, phi = (guess[..., 1:] - aimed[..., 1:]).unbind(-1)
        phi = phi - 2.0 * math.pi * torch.round(phi / (2.0 * math.pi))
        return event_mean(torch.stack([x, eta, phi], dim=-1).square() * _present(aimed))

    def check(self, target: Tensor) -> str | None:
        return _check_momenta(target)

    def _log_pt(self, pt: Tensor) -> Tensor:
        # An untrained model may say pt < 0; the floor keeps its logarithm finite.
        return (pt * wide(self.pt_scale, pt) + 0.1).clamp(min=1e-4).log()


def _momenta(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    if problem := _unfit_shape(target):
        raise ValueError(problem)
    return align(prediction, target), target.to(prediction.dtype)


def _present(target: Tensor) -> Tensor:
    return (target[..., :1] != 0.0).to(target.dtype)


def _unfit_shape(target: Tensor) -> str | None:
    fits = target.ndim > 1 and target.shape[-1] == 3
    return None if fits else f"momenta [E, N, 3] = (pt, eta, phi) expected, found {list(target.shape)}"


def _cartesian(momenta: Tensor) -> Tensor:
    pt, eta, phi = momenta.unbind(-1)
    pz = pt * eta.clamp(-_MOST_ETA, _MOST_ETA).sinh()
    return torch.stack([pt * phi.cos(), pt * phi.sin(), pz], dim=-1)


def _check_momenta(target: Tensor) -> str | None:
    if problem := _unfit_shape(target) or check_finite(target):
        return problem
    pt, phi = target[..., 0], target[..., 2]
    if (negative := int((pt < 0).sum())) > 0:
        return f"{negative} of {pt.numel()} transverse momenta are negative"
    if pt.numel() and float(pt.median()) > 5e3:
        return f"the median pt is {float(pt.median()):g} GeV, which looks like MeV; GeV are expected"
    if phi.numel() and float(phi.abs().max()) > 6.3:
        return f"phi reaches {float(phi.abs().max()):g}, which looks like degrees or another column; radians are expected"
    return None
