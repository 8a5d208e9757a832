"""Four-momenta in physical units, and the numbers a network sees instead of them."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.registry import register

__all__ = ["MASS_SCALE", "PT_SCALE", "LogMomentum", "correct", "from_log_pt", "log_pt", "wrap"]

PT_SCALE = 1e-2
MASS_SCALE = 1e-1
_OFFSET = 0.1
_LOG_OFFSET = math.log(_OFFSET)
_LOG_MOST = 7.0
_MOST_ETA = 5.0


def log_pt(pt: Tensor, scale: float = PT_SCALE) -> Tensor:
    """The compressed transverse momentum ``x = log(pt * scale + 0.1)``, as in arXiv:2106.02301 and its code.

    Args:
        pt: any shape, in GeV. Below -9.99 GeV (which only an untrained network says) x stays at -9.2.
        scale: in 1/GeV.

    Returns:
        The same shape and dtype.

    >>> [round(x, 4) for x in log_pt(torch.tensor([0.0, 90.0])).tolist()]
    [-2.3026, 0.0]
    """
    return (pt * scale + _OFFSET).clamp(min=_OFFSET * 1e-3).log()


def from_log_pt(x: Tensor, scale: float = PT_SCALE) -> Tensor:
    """The inverse of :func:`log_pt`, in GeV, kept between 0 and ``(exp(7) - 0.1) / scale``: 110 TeV by default.

    >>> round(from_log_pt(log_pt(torch.tensor(40.0))).item(), 3)
    40.0
    """
    return (x.clamp(_LOG_OFFSET, _LOG_MOST).exp() - _OFFSET).clamp(min=0.0) / scale


def wrap(phi: Tensor) -> Tensor:
    """An angle in radians, moved by whole turns into [-pi, pi]; its derivative is 1.

    >>> round(wrap(torch.tensor(4.0)).item(), 4)
    -2.2832
    """
    turned = phi - 2.0 * math.pi * torch.round(phi / (2.0 * math.pi))
    # After millions of turns nothing but rounding errors is left of an angle; they may not leave the circle.
    return turned.clamp(-math.pi, math.pi)


@register
@final
class LogMomentum(nn.Module):
    """Momenta as a network likes them: pt becomes :func:`log_pt`, a mass its like, and angles stay.

    Args:
        pt_scale: in 1/GeV.
        mass_scale: in 1/GeV; a jet's mass is some GeV.

    Shapes: ``[..., 3]`` (pt GeV, eta, phi) or ``[..., 4]`` (and mass GeV), any float dtype; the same shape comes out.

    >>> jet = torch.tensor([90.0, 1.0, -3.0, 9.0])
    >>> [round(x, 4) for x in LogMomentum()(jet).tolist()]
    [0.0, 1.0, -3.0, 0.0]
    """

    def __init__(self, pt_scale: float = PT_SCALE, mass_scale: float = MASS_SCALE) -> None:
        super().__init__()
        self.pt_scale = pt_scale
        self.mass_scale = mass_scale

    def forward(self, momentum: Tensor) -> Tensor:
        if momentum.shape[-1] not in (3, 4):
            msg = f"(pt, eta, phi) or (pt, eta, phi, mass) expected on the last axis, found {list(momentum.shape)}"
            raise ValueError(msg)
        parts = [log_pt(momentum[..., :1], self.pt_scale), momentum[..., 1:3]]
        if momentum.shape[-1] == 4:
            parts.append(log_pt(momentum[..., 3:], self.mass_scale))
        return torch.cat(parts, dim=-1)


def correct(jet: Tensor, correction: Tensor, pt_scale: float = PT_SCALE) -> Tensor:
    """A jet plus a correction of (x, eta, phi), back in physical units: the end of every calibration.

    Args:
        jet: ``[..., F >= 3]``, starting with (x, eta, phi) where x is :func:`log_pt`.
        correction: ``[..., 3]``.
        pt_scale: in 1/GeV.

    Returns:
        ``[..., 3]``: pt in GeV and not below 0, eta within [-5, 5], phi within [-pi, pi].

    >>> jet = torch.tensor([[0.0, 1.0, 3.0]])
    >>> correct(jet, torch.tensor([[0.0, 0.5, 1.0]])).round(decimals=3).tolist()
    [[90.0, 1.5, -2.2829999923706055]]
    """
    x, eta, phi = (jet[..., :3] + correction).unbind(-1)
    return torch.stack([from_log_pt(x, pt_scale), eta.clamp(-_MOST_ETA, _MOST_ETA), wrap(phi)], dim=-1)
