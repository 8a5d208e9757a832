"""A model for a task before the calibration: what a jet is, from its energy maps and its four-momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.calibration import embedded
from tsunagu.layers.dense import dense, logit
from tsunagu.layers.init import initialise
from tsunagu.layers.momentum import PT_SCALE, LogMomentum
from tsunagu.layers.registry import register

__all__ = ["JetTagger"]


@register
@final
class JetTagger(nn.Module):
    """Numbers about each jet: whether it is a tau, or how many charged and neutral pions it decays to (25 858 parameters).

    Per jet: pixels -> features; with (x, eta, phi, mass) -> hidden -> outputs. All jets share the weights.

    Args:
        outputs: numbers per jet; 1 gives a logit without an axis of its own.
        features: sizes of the layers behind the pixels.
        hidden: sizes of the layers behind the features and the momentum.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        dropout: the probability after each activation.
        pt_scale: in 1/GeV.
        image: channels, rows and columns of a jet's energy map.
        film: whether there are sites for a condition, see :func:`~tsunagu.layers.dense`; by itself where the pipeline has one.

    Shapes:
        ``jet_image [E, N, 3, 16, 16]``: GeV per pixel; it enters as ``log(1 + pixel / GeV)``, pixels below 0 as 0.
        ``jet_p4 [E, N, 4]``: pt (GeV), eta, phi, mass (GeV).
        Returns ``[E, N]`` or ``[E, N, outputs]``.

    >>> JetTagger(outputs=1)(torch.rand(5, 2, 3, 16, 16), torch.rand(5, 2, 4)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        outputs: int = 2,
        features: Sequence[int] = (32,),
        hidden: Sequence[int] = (32,),
        activation: str | nn.Module = "ReLU",
        dropout: float = 0.0,
        pt_scale: float = PT_SCALE,
        image: Sequence[int] = (3, 16, 16),
        film: bool = False,
    ) -> None:
        super().__init__()
        maps, rows, columns = image
        pixels = dense([maps * rows * columns, *features], activation, dropout, last=True, film=film)
        self.momenta = LogMomentum(pt_scale)
        self.embed = nn.Sequential(nn.Flatten(), *pixels)
        self.head = dense([features[-1] + 4, *hidden, outputs], activation, dropout, film=film)
        initialise(self)

    def forward(self, jet_image: Tensor, jet_p4: Tensor) -> Tensor:
        seen = torch.cat([embedded(self.embed, jet_image), self.momenta(jet_p4)], dim=-1)
        return logit(self.head(seen))
