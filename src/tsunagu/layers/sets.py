"""Candidates for the second task that treat the taus as a set: their order does not matter, and any number goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.dense import dense, logit
from tsunagu.layers.frame import LeadingFrame, by_pt, pair_logs
from tsunagu.layers.framed import Residual
from tsunagu.layers.init import initialise
from tsunagu.layers.momentum import PT_SCALE
from tsunagu.layers.registry import register

__all__ = ["Attention", "DeepSets", "TauAttention"]


@register
@final
class DeepSets(nn.Module):
    """One network for each tau, their sum, and one network behind it (3 361 parameters by default).

    Zaheer et al., arXiv:1703.06114, ``rho(sum_i phi(x_i))``, in the frame of the leading tau; the missing momentum joins the
    sum.

    Args:
        each: sizes of the layers of phi.
        hidden: sizes of the hidden layers of rho.
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

    >>> net = DeepSets()
    >>> net(torch.rand(5, 2, 3)).shape, net(torch.rand(5, 7, 3)).shape
    (torch.Size([5]), torch.Size([5]))
    """

    def __init__(
        self,
        each: Sequence[int] = (32, 32),
        hidden: Sequence[int] = (32, 32),
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
        self.each = dense([4 + tags, *each], activation, dropout, last=True, film=film)
        self.together = dense(
            [each[-1] + (3 if met else 0), *hidden, outputs], activation, dropout, film=film
        )
        initialise(self)

    def forward(self, tau_p4: Tensor, met: Tensor | None = None, tag: Tensor | None = None) -> Tensor:
        taus, missing = self.frame.parts(tau_p4, met, tag)
        pooled = self.each(taus).sum(1)
        return logit(self.together(pooled if missing is None else torch.cat([pooled, missing], dim=1)))


@register
@final
class TauAttention(nn.Module):
    """A small transformer over the taus and the missing momentum (17 161 parameters by default).

    Each becomes a token, in the frame of the leading tau. Each block lets tokens look at each other and changes each by a
    dense layer, both behind a LayerNorm; the mean over the tokens goes through a linear layer. How much one token looks at
    another also depends on the mass of the pair, as in the particle transformer (Qu, Li, Qian, arXiv:2202.03772).

    Args:
        width: of a token; a multiple of ``heads``.
        heads: of each attention.
        blocks: how many.
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
        ValueError: ``width`` is no multiple of ``heads``; in ``forward``, another shape, or a missing momentum that is
            lacking or not expected.

    >>> TauAttention(met=True)(torch.rand(5, 2, 3), torch.rand(5, 2)).shape
    torch.Size([5])
    """

    def __init__(
        self,
        width: int = 32,
        heads: int = 4,
        blocks: int = 2,
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
        self.tau = nn.Linear(4 + tags, width)
        self.missing = nn.Linear(3, width) if met else None
        self.attend = nn.ModuleList(Attention(width, heads) for _ in range(blocks))
        self.change = nn.ModuleList(
            Residual(width, 2 * width, activation, dropout, film) for _ in range(blocks)
        )
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, outputs)
        initialise(self)

    def forward(self, tau_p4: Tensor, met: Tensor | None = None, tag: Tensor | None = None) -> Tensor:
        taus, missing = self.frame.parts(tau_p4, met, tag)
        x = self.tau(taus)
        if self.missing is not None:
            x = torch.cat([x, self.missing(missing).unsqueeze(1)], dim=1)
        pairs = pair_logs(by_pt(tau_p4), met if self.missing is not None else None)
        for attend, change in zip(self.attend, self.change, strict=True):
            x = change(attend(x, pairs))
        return logit(self.last(self.norm(x).mean(1)))


@register
@final
class Attention(nn.Module):
    """Self-attention over T tokens behind a LayerNorm, and a shortcut: ``x + W softmax(q k / sqrt(d) + b u) v``.

    Vaswani et al., arXiv:1706.03762; u is a number for each pair of tokens, as in Qu, Li, Qian, arXiv:2202.03772.

    Args:
        width: of a token; a multiple of ``heads``.
        heads: how many sets of weights are averaged side by side.

    Shapes: ``x [E, T, width]`` and ``pairs [E, T, T]``; returns the shape of ``x``.

    Raises:
        ValueError: ``width`` is no multiple of ``heads``.

    >>> Attention(8, 2)(torch.rand(5, 3, 8), torch.rand(5, 3, 3)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            msg = f"width must be a multiple of heads, found {width} and {heads}"
            raise ValueError(msg)
        self.heads = heads
        # No bias: a softmax does not see what is added to all.
        self.norm, self.pair = nn.LayerNorm(width), nn.Linear(1, heads, bias=False)
        self.ask, self.give = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        initialise(self)

    def forward(self, x: Tensor, pairs: Tensor) -> Tensor:
        query, key, value = self.ask(self.norm(x)).unflatten(-1, (3, self.heads, -1)).unbind(-3)
        bias = self.pair(pairs.unsqueeze(-1))
        size = math.sqrt(query.shape[-1])
        weight = (torch.einsum("eihd,ejhd->eijh", query, key) / size + bias).softmax(dim=2)
        seen = torch.einsum("eijh,ejhd->eihd", weight, value)
        added: Tensor = x + self.give(seen.flatten(-2))
        return added
