"""Taus and missing transverse momentum as seen from the leading tau, and the masses of pairs of them.

A rotation about the beam changes no cross-section, nor does the exchange of the two equal beams: networks that see these
numbers need not learn it. Legend: ``E`` events, ``N`` taus, ``T`` taus and, where it is read, the missing momentum.
"""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.momentum import PT_SCALE, log_pt
from tsunagu.layers.registry import register

__all__ = [
    "LeadingFrame",
    "by_pt",
    "check_momenta",
    "magnitude",
    "pair_logs",
    "read_met",
    "transverse_masses",
]

# Below 1 GeV the direction of the missing momentum means nothing; so its gradients stay finite, too.
_SOFT = 1.0
_FLOOR = 0.1
_MOST_ETA = 5.0


@register
@final
class LeadingFrame(nn.Module):
    """Momenta turned about the beam so that the tau of highest pt lies at phi = 0; without parameters.

    With ``reflect``, eta is mirrored so that the leading tau has eta >= 0, and phi so that the sum of the other taus' momenta
    does not point to negative phi: right as long as no observable that is odd under P or CP is looked for. Taus come out by
    falling pt, so their order does not matter.

    Args:
        met: whether the missing momentum is read; False leaves one that is handed over unread, None refuses it.
        reflect: whether eta and phi are mirrored.
        pt_scale: in 1/GeV.

    Shapes:
        ``tau_p4 [E, N, 3]``: pt (GeV), eta, phi; what stands behind phi is not looked at.
        ``met [E, 2]``: (x, y) in GeV.
        ``tag [E, N, F]``: further numbers about each tau, as an earlier task gives them; each tau keeps its own.
        Returns ``[E, (4 + F) N]``: (:func:`~tsunagu.layers.log_pt`, eta, cos phi, sin phi, tags) of each tau; with ``met``
        3 more: also (log_pt, cos phi, sin phi) of the missing momentum.

    Raises:
        ValueError: in ``forward``, for another shape, or a missing momentum that is lacking or not expected.

    >>> frame = LeadingFrame(met=True)
    >>> taus = torch.tensor([[[40.0, -1.0, 3.0], [90.0, -0.5, 2.0]]])
    >>> frame(taus, torch.tensor([[-30.0, 0.0]])).shape
    torch.Size([1, 11])
    >>> [round(x, 3) for x in LeadingFrame()(taus)[0].tolist()]  # the second tau is one radian away
    [0.0, 0.5, 1.0, 0.0, -0.693, 1.0, 0.54, 0.841]
    """

    def __init__(self, met: bool | None = None, reflect: bool = True, pt_scale: float = PT_SCALE) -> None:
        super().__init__()
        self.met, self.reflect, self.pt_scale = met, reflect, pt_scale

    def forward(self, tau_p4: Tensor, met: Tensor | None = None, tag: Tensor | None = None) -> Tensor:
        taus, missing = self.parts(tau_p4, met, tag)
        return taus.flatten(1) if missing is None else torch.cat([taus.flatten(1), missing], dim=1)

    def parts(
        self, tau_p4: Tensor, met: Tensor | None = None, tag: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The taus ``[E, N, 4 + F]`` by falling pt, and the missing momentum ``[E, 3]`` or None.

        >>> LeadingFrame().parts(torch.rand(5, 2, 3))[0].shape
        torch.Size([5, 2, 4])
        """
        check_momenta(tau_p4)
        read = read_met(self.met, met)
        pt, eta, phi, *tags = by_pt(tau_p4, tag).unbind(-1)
        angle = phi - phi[:, :1]
        cosine, sine = angle.cos(), angle.sin()
        side, up = (self._sign(x) for x in ((pt * sine).sum(1, keepdim=True), eta[:, :1]))
        taus = torch.stack([log_pt(pt, self.pt_scale), eta * up, cosine, sine * side, *tags], dim=-1)
        return taus, None if read is None else self._turned(read, phi[:, 0], side[:, 0])

    def _turned(self, met: Tensor, phi: Tensor, side: Tensor) -> Tensor:
        size, cosine, sine = magnitude(met), phi.cos(), phi.sin()
        along = met[:, 0] * cosine + met[:, 1] * sine
        across = (met[:, 1] * cosine - met[:, 0] * sine) * side
        return torch.stack([log_pt(size, self.pt_scale), along / size, across / size], dim=-1)

    def _sign(self, x: Tensor) -> Tensor:
        """-1 where something is to be mirrored."""
        return torch.where((x < 0.0) & self.reflect, -torch.ones_like(x), torch.ones_like(x))


def by_pt(tau_p4: Tensor, tag: Tensor | None = None) -> Tensor:
    """The taus ``[E, N, 3]`` of each event by falling pt, each with its tags: ``[E, N, 3 + F]``.

    >>> by_pt(torch.tensor([[[40.0, 0.1, 0.2], [90.0, 0.3, 0.4]]]), torch.tensor([[[1], [3]]]))[0, :, -1].tolist()
    [3.0, 1.0]
    """
    falling = tau_p4[..., 0].sort(dim=1, descending=True, stable=True).indices
    parts = [*tau_p4[..., :3].unbind(-1), *([] if tag is None else tag.to(tau_p4.dtype).unbind(-1))]
    return torch.stack([part.gather(1, falling) for part in parts], dim=-1)


def read_met(wanted: bool | None, met: Tensor | None) -> Tensor | None:
    """What a layer with the setting ``met`` reads of the missing momentum that it is handed.

    Args:
        wanted: the setting.
        met: ``[E, 2]`` or None.

    Returns:
        The same ``[E, 2]`` where it is wanted, else None.

    Raises:
        ValueError: it is lacking, has another shape, or comes although nobody said whether it is read.

    >>> read_met(False, torch.zeros(5, 2))
    >>> read_met(None, torch.zeros(5, 2))
    Traceback (most recent call last):
    ValueError: a missing momentum comes in; say with the argument met, true or false, whether it is read
    """
    if met is not None and wanted is None:
        msg = "a missing momentum comes in; say with the argument met, true or false, whether it is read"
        raise ValueError(msg)
    if not wanted:
        return None
    if met is None or met.ndim != 2 or met.shape[-1] != 2:
        found = "none" if met is None else str(list(met.shape))
        msg = f"with met: true a missing momentum [E, 2] = (x, y) in GeV is read, found {found}"
        raise ValueError(msg)
    return met


def check_momenta(x: Tensor, remedy: str = "") -> None:
    """Refuse what are no momenta.

    Raises:
        ValueError: a shape other than ``[E, N, 3]`` or ``[E, N, 4]``.

    >>> check_momenta(torch.zeros(5, 2, 3))
    """
    if x.ndim != 3 or x.shape[-1] not in (3, 4):
        msg = f"momenta [E, N, 3] = (pt, eta, phi) expected, found {list(x.shape)}{remedy}"
        raise ValueError(msg)


def magnitude(met: Tensor) -> Tensor:
    """The size of the missing momentum ``[E]`` in GeV: ``sqrt(x^2 + y^2 + 1 GeV^2)``.

    >>> round(magnitude(torch.tensor([[30.0, 40.0]])).item(), 2)
    50.01
    """
    return (met.square().sum(-1) + _SOFT).sqrt()


def transverse_masses(tau_p4: Tensor, met: Tensor) -> Tensor:
    """The transverse mass of each tau with the missing momentum, ``m_T^2 = 2 (pt |met| - p . met)``.

    0.1 GeV^2 is added under the root, so that the gradient stays finite where the mass vanishes.

    Args:
        tau_p4: ``[E, N, 3]`` = (pt GeV, eta, phi).
        met: ``[E, 2]`` = (x, y) in GeV.

    Returns:
        ``[E, N]`` in GeV.

    >>> round(transverse_masses(torch.tensor([[[40.0, 0.0, 0.0]]]), torch.tensor([[-40.0, 0.0]])).item(), 1)
    80.0
    """
    pt, _, phi = tau_p4[..., :3].unbind(-1)
    along = phi.cos() * met[:, :1] + phi.sin() * met[:, 1:]
    squared = 2.0 * pt * (magnitude(met)[:, None] - along)
    return (squared.clamp(min=0.0) + _FLOOR).sqrt()


def pair_logs(tau_p4: Tensor, met: Tensor | None = None) -> Tensor:
    """``log(m / 100 GeV)`` of each pair of taus, and of each tau with the missing momentum, which has no eta.

    For two taus ``m^2 = 2 pt pt' (cosh(eta - eta') - cos(phi - phi'))`` of light particles, as the interactions in
    Qu, Li, Qian, arXiv:2202.03772; for a tau and the missing momentum the transverse mass. 1 GeV^2 is added to ``m^2``.

    Args:
        tau_p4: ``[E, N, 3]`` = (pt GeV, eta, phi); eta counts within [-5, 5].
        met: ``[E, 2]`` = (x, y) in GeV, or None.

    Returns:
        ``[E, T, T]``, symmetric.

    >>> back_to_back = torch.tensor([[[62.5, 0.0, 0.0], [62.5, 0.0, 3.14159265]]])
    >>> round(pair_logs(back_to_back)[0, 0, 1].exp().item(), 3)
    1.25
    """
    pt, eta, phi = tau_p4[..., :3].unbind(-1)
    eta = eta.clamp(-_MOST_ETA, _MOST_ETA)
    across, around = (angle[:, :, None] - angle[:, None, :] for angle in (eta, phi))
    squared = 2.0 * pt[:, :, None] * pt[:, None, :] * (across.cosh() - around.cos())
    if met is not None:
        edge = transverse_masses(tau_p4, met).square()[..., None]
        corner = torch.zeros_like(edge[:, :1])
        squared = torch.cat([torch.cat([squared, edge], 2), torch.cat([edge.mT, corner], 2)], 1)
    return 0.5 * (squared.clamp(min=0.0) + _SOFT).log() - math.log(100.0)
