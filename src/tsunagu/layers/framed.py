"""Dense candidates for the second task that see the event from the leading tau."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from torch import Tensor, nn

from tsunagu.layers.dense import activate, dense, logit
from tsunagu.layers.frame import LeadingFrame
from tsunagu.layers.init import initialise
from tsunagu.layers.momentum import PT_SCALE
from tsunagu.layers.registry import register
from tsunagu.layers.sites import FiLMSite
from tsunagu.layers.stochastic import Dropout

__all__ = ["Residual", "ResidualMLP", "RotatedMLP"]


@register
@final
class RotatedMLP(nn.Module):
    """Dense layers in the frame of the leading tau (2 433 parameters by default, 2 529 with ``met``).

    Turning all of an event about the beam, mirroring it, or exchanging the taus does not change what it says.

    Args:
        hidden: sizes of the hidden layers.
        taus: N, how many momenta an event has.
        met: whether the missing momentum is read; False leaves one that is handed over unread, None refuses it.
        outputs: numbers per event; 1 gives a logit without an axis of its own.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        dropout: the probability after each activation.
        reflect: whether eta and phi are mirrored, see :class:`LeadingFrame`.
        pt_scale: in 1/GeV.
        tags: numbers of an earlier task about each tau, such as its decay mode; 0 for none.
        film: whether there are sites for a condition, see :func:`~tsunagu.layers.dense`; by itself where the pipeline has one.

    Shapes: ``tau_p4 [E, N, 3]`` = (pt GeV, eta, phi), ``met [E, 2]`` = (x, y) in GeV, ``tag [E, N, tags]``; returns ``[E]``
    or ``[E, outputs]``.

    Raises:
        ValueError: in ``forward``, for another shape, or a missing momentum that is lacking or not expected.

    >>> import torch
    >>> RotatedMLP(met=True)(torch.rand(5, 2, 3), torch.rand(5, 2)).shape
    torch.Size([5])
    """

    def __init__(
        self,
        hidden: Sequence[int] = (32, 32, 32),
        taus: int = 2,
        met: bool | None = None,
        outputs: int = 1,
        activation: str | nn.Module = "ReLU",
        dropout: float = 0.0,
        reflect: bool = True,
        pt_scale: float = PT_SCALE,
        tags: int = 0,
        film: bool = False,
    ) -> None:
        super().__init__()
        self.frame = LeadingFrame(met, reflect, pt_scale)
        inputs = (4 + tags) * taus + (3 if met else 0)
        self.layers = initialise(dense([inputs, *hidden, outputs], activation, dropout, film=film))

    def forward(self, tau_p4: Tensor, met: Tensor | None = None, tag: Tensor | None = None) -> Tensor:
        return logit(self.layers(self.frame(tau_p4, met, tag)))


@register
@final
class ResidualMLP(nn.Module):
    """Pre-activation residual blocks in the frame of the leading tau (14 977 parameters by default).

    A linear layer to ``width``, then ``blocks`` times ``x + W2 act(W1 LayerNorm(x))``, LayerNorm, a linear layer: the order
    of He et al., arXiv:1603.05027, with the norm of Ba et al., arXiv:1607.06450.

    Args:
        width: of the blocks.
        blocks: how many.
        taus: N, how many momenta an event has.
        met: whether the missing momentum is read; False leaves one that is handed over unread, None refuses it.
        outputs: numbers per event; 1 gives a logit without an axis of its own.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        dropout: the probability after each activation.
        reflect: whether eta and phi are mirrored, see :class:`LeadingFrame`.
        pt_scale: in 1/GeV.
        tags: numbers of an earlier task about each tau, such as its decay mode; 0 for none.
        film: whether there are sites for a condition, see :func:`~tsunagu.layers.dense`; by itself where the pipeline has one.

    Shapes: ``tau_p4 [E, N, 3]`` = (pt GeV, eta, phi), ``met [E, 2]`` = (x, y) in GeV, ``tag [E, N, tags]``; returns ``[E]``
    or ``[E, outputs]``.

    Raises:
        ValueError: in ``forward``, for another shape, or a missing momentum that is lacking or not expected.

    >>> import torch
    >>> ResidualMLP(width=16, blocks=1)(torch.rand(5, 2, 3)).shape
    torch.Size([5])
    """

    def __init__(
        self,
        width: int = 48,
        blocks: int = 3,
        taus: int = 2,
        met: bool | None = None,
        outputs: int = 1,
        activation: str | nn.Module = "GELU",
        dropout: float = 0.0,
        reflect: bool = True,
        pt_scale: float = PT_SCALE,
        tags: int = 0,
        film: bool = False,
    ) -> None:
        super().__init__()
        self.frame = LeadingFrame(met, reflect, pt_scale)
        self.layers = nn.Sequential(
            nn.Linear((4 + tags) * taus + (3 if met else 0), width),
            *(Residual(width, width, activation, dropout, film) for _ in range(blocks)),
            nn.LayerNorm(width),
            nn.Linear(width, outputs),
        )
        initialise(self)

    def forward(self, tau_p4: Tensor, met: Tensor | None = None, tag: Tensor | None = None) -> Tensor:
        return logit(self.layers(self.frame(tau_p4, met, tag)))


@register
@final
class Residual(nn.Module):
    """One pre-activation residual block, ``x + W2 act(W1 LayerNorm(x))``.

    He et al., arXiv:1603.05027; LayerNorm of Ba et al., arXiv:1607.06450.

    Args:
        width: of the input and the output.
        hidden: between W1 and W2.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        dropout: the probability after the activation.
        film: whether there are sites for a condition, see :func:`~tsunagu.layers.dense`; by itself where the pipeline has one.

    Shapes: ``[..., width]`` to the same.

    >>> import torch
    >>> Residual(8, 16)(torch.rand(5, 2, 8)).shape
    torch.Size([5, 2, 8])
    """

    def __init__(
        self,
        width: int,
        hidden: int,
        activation: str | nn.Module = "GELU",
        dropout: float = 0.0,
        film: bool = False,
    ) -> None:
        super().__init__()
        behind: list[nn.Module] = [FiLMSite(hidden, axis=-1)] if film else []
        behind += [Dropout(dropout)] if dropout else []
        self.norm = nn.LayerNorm(width)
        self.layers = nn.Sequential(
            nn.Linear(width, hidden), activate(activation), *behind, nn.Linear(hidden, width)
        )
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.layers(self.norm(x))
        return added
