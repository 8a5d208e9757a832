"""Candidates for the second task: from the momenta of two taus to the logit of the signal.

Structures and parameter counts are those of the study behind arXiv:2106.02301. With ``momenta`` (the default of the
networks), inputs are (pt GeV, eta, phi) and pt enters as ``log(pt * scale + 0.1)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.dense import dense, logit
from tsunagu.layers.frame import LeadingFrame, check_momenta, magnitude, read_met, transverse_masses
from tsunagu.layers.init import initialise
from tsunagu.layers.momentum import PT_SCALE, LogMomentum
from tsunagu.layers.registry import register
from tsunagu.layers.stochastic import Dropout

__all__ = ["LSTM", "MLP", "MassMLP", "pair_mass"]

TAU_MASS = 1.777


@register
@final
class MLP(nn.Module):
    """Dense layers (2 369 parameters by default).

    Args:
        hidden: sizes of the hidden layers; an empty list is a linear model.
        inputs: numbers per event after flattening.
        outputs: numbers per event; 1 gives a logit without an axis of its own.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        dropout: the probability after each activation.
        momenta: whether the input is momenta ``[E, N, 3]`` or ``[E, N, 4]`` in GeV, of which pt and mass enter as
            logarithms; else any ``[E, ...]`` enters as it is.
        pt_scale: in 1/GeV, for momenta.
        met: whether the missing momentum is read, with ``momenta`` only: 3 numbers more, see :class:`LeadingFrame`;
            False leaves one that is handed over unread, None refuses it.
        film: whether there are sites for a condition, see :func:`~tsunagu.layers.dense`; by itself where the pipeline has one.

    Shapes: ``x [E, ...]``, by default tau momenta ``[E, 2, 3]``, and ``met [E, 2]`` = (x, y) in GeV; returns ``[E]``, or
    ``[E, outputs]`` for more than 1.

    Raises:
        ValueError: ``met`` without ``momenta``; in ``forward``, for momenta of another shape, another number of inputs
            per event, or a missing momentum that is lacking or not expected.

    >>> MLP()(torch.rand(5, 2, 3)).shape
    torch.Size([5])
    >>> MLP(hidden=[8], inputs=4, outputs=3, momenta=False)(torch.rand(5, 4)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        hidden: Sequence[int] = (32, 32, 32),
        inputs: int = 6,
        outputs: int = 1,
        activation: str | nn.Module = "ReLU",
        dropout: float = 0.0,
        momenta: bool = True,
        pt_scale: float = PT_SCALE,
        met: bool | None = None,
        film: bool = False,
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.met = _only_momenta(momenta, met)
        self.momenta = LogMomentum(pt_scale) if momenta else None
        self.frame = LeadingFrame(met, reflect=False, pt_scale=pt_scale)
        sizes = [inputs + (3 if met else 0), *hidden, outputs]
        self.layers = initialise(dense(sizes, activation, dropout, film=film))

    def forward(self, x: Tensor, met: Tensor | None = None) -> Tensor:
        missing = read_met(self.met, met)
        if self.momenta is None:
            return logit(self.layers(_flat(x, self.inputs)))
        check_momenta(x, "; MLP(momenta=False) takes any shape")
        flat = _flat(self.momenta(x), self.inputs)
        if missing is not None:
            flat = torch.cat([flat, self.frame(x, missing)[:, -3:]], dim=1)
        return logit(self.layers(flat))


@register
@final
class LSTM(nn.Module):
    """Stacked LSTMs over the sequence of taus, of which the last step goes through a linear layer (21 774 parameters).

    Args:
        hidden: sizes of the stacked LSTMs.
        inputs: numbers per step.
        outputs: numbers per event; 1 gives a logit without an axis of its own.
        dropout: the probability between the stacked LSTMs.
        momenta: whether the input is momenta in GeV, of which pt and mass enter as logarithms.
        pt_scale: in 1/GeV, for momenta.
        met: whether the missing momentum is read, with ``momenta`` only: as one step more, before the taus, whose eta is
            0; False leaves one that is handed over unread, None refuses it.

    Shapes: ``x [E, steps, inputs]``, by default tau momenta ``[E, 2, 3]``, and ``met [E, 2]`` = (x, y) in GeV; returns
    ``[E]`` or ``[E, outputs]``.

    Raises:
        ValueError: no LSTM at all, or ``met`` without ``momenta``; in ``forward``, for momenta of another shape, or a
            missing momentum that is lacking or not expected.

    >>> LSTM()(torch.rand(5, 2, 3)).shape
    torch.Size([5])
    """

    def __init__(
        self,
        hidden: Sequence[int] = (32, 32, 32, 1),
        inputs: int = 3,
        outputs: int = 1,
        dropout: float = 0.0,
        momenta: bool = True,
        pt_scale: float = PT_SCALE,
        met: bool | None = None,
    ) -> None:
        super().__init__()
        if not hidden:
            msg = "hidden must hold the size of one LSTM at least, found an empty list"
            raise ValueError(msg)
        self.met = _only_momenta(momenta, met)
        self.momenta = LogMomentum(pt_scale) if momenta else None
        self.layers = nn.ModuleList(nn.LSTM(a, b, batch_first=True) for a, b in pairwise([inputs, *hidden]))
        self.dropout = Dropout(dropout)
        self.last = nn.Linear(hidden[-1], outputs)
        initialise(self)

    def forward(self, x: Tensor, met: Tensor | None = None) -> Tensor:
        missing = read_met(self.met, met)
        if self.momenta is not None:
            check_momenta(x, "; LSTM(momenta=False) takes any sequence")
            x = self.momenta(x if missing is None else torch.cat([_as_momentum(missing, x), x], dim=1))
        for i, layer in enumerate(self.layers):
            x = layer(self.dropout(x) if i else x)[0]
        return logit(self.last(x[:, -1]))


@register
@final
class MassMLP(nn.Module):
    """Dense layers on the invariant mass of the two taus in units of 125 GeV (4 353 parameters by default).

    With ``met`` also on the transverse mass of each tau with the missing momentum (4 481 parameters).

    Args:
        hidden: sizes of the hidden layers.
        outputs: numbers per event; 1 gives a logit without an axis of its own.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        dropout: the probability after each activation.
        met: whether the missing momentum is read; False leaves one that is handed over unread, None refuses it.
        film: whether there are sites for a condition, see :func:`~tsunagu.layers.dense`; by itself where the pipeline has one.

    Shapes: ``x [E, 2, 3]`` = (pt GeV, eta, phi), ``met [E, 2]`` = (x, y) in GeV; returns ``[E]`` or ``[E, outputs]``.

    Raises:
        ValueError: in ``forward``, for another shape, or a missing momentum that is lacking or not expected.

    >>> MassMLP()(torch.rand(5, 2, 3)).shape
    torch.Size([5])
    """

    def __init__(
        self,
        hidden: Sequence[int] = (64, 64),
        outputs: int = 1,
        activation: str | nn.Module = "ReLU",
        dropout: float = 0.0,
        met: bool | None = None,
        film: bool = False,
    ) -> None:
        super().__init__()
        self.met = met
        sizes = [3 if met else 1, *hidden, outputs]
        self.layers = initialise(dense(sizes, activation, dropout, film=film))

    def forward(self, x: Tensor, met: Tensor | None = None) -> Tensor:
        check_momenta(x)
        missing = read_met(self.met, met)
        masses = pair_mass(x[..., :3])[:, None]
        if missing is not None:
            masses = torch.cat([masses, transverse_masses(x, missing)], dim=1)
        return logit(self.layers(masses / 125.0))


def pair_mass(momenta: Tensor) -> Tensor:
    """The invariant mass of all taus of an event, ``m^2 = (sum E)^2 - (sum p)^2``.

    With ``E^2 = (pt cosh eta)^2 + m_tau^2`` and m_tau = 1.777 GeV; 0.1 GeV^2 is added under both roots, so that the
    gradient stays finite where the mass vanishes.

    Args:
        momenta: ``[E, N, 3]`` = (pt GeV, eta, phi); eta counts within [-5, 5].

    Returns:
        ``[E]`` in GeV.

    >>> back_to_back = torch.tensor([[[62.5, 0.0, 0.0], [62.5, 0.0, 3.14159265]]])
    >>> round(pair_mass(back_to_back).item(), 2)
    125.05
    """
    pt, eta, phi = momenta.unbind(-1)
    eta = eta.clamp(-5.0, 5.0)
    momentum = torch.stack([pt * phi.cos(), pt * phi.sin(), pt * eta.sinh()], dim=-1)
    energy = (momentum.square().sum(-1) + TAU_MASS**2 + 0.1).sqrt().sum(-1)
    # Rounding can leave a small negative difference for collinear taus.
    squared = energy.square() - momentum.sum(-2).square().sum(-1)
    return (squared.clamp(min=0.0) + 0.1).sqrt()


def _only_momenta(momenta: bool, met: bool | None) -> bool | None:
    if met and not momenta:
        msg = "met: true needs momenta: true, since the missing momentum is read beside momenta in GeV"
        raise ValueError(msg)
    return met


def _as_momentum(met: Tensor, like: Tensor) -> Tensor:
    """The missing momentum as one momentum ``[E, 1, 3 or 4]`` without eta and mass."""
    size = magnitude(met)
    # An angle of nothing has no gradient; along x it is 0.
    phi = torch.atan2(met[:, 1], met[:, 0] + (met == 0.0).all(dim=1))
    rest = torch.zeros_like(size).expand(like.shape[-1] - 3, -1)
    return torch.stack([size, torch.zeros_like(size), phi, *rest], dim=-1)[:, None]


def _flat(x: Tensor, inputs: int) -> Tensor:
    flat = x.flatten(1) if x.ndim > 1 else x[:, None]
    if flat.shape[1] != inputs:
        msg = f"MLP(inputs={inputs}) found {flat.shape[1]} numbers per event in {list(x.shape)}"
        raise ValueError(msg)
    return flat
