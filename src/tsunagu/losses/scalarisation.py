"""A scalarisation of mean losses: those of the events that have equal weights.

Legend: ``R`` members, ``E`` events, ``T`` losses, ``G`` groups of events with equal weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, final

import torch
from torch import Tensor

from tsunagu.errors import did_you_mean
from tsunagu.losses.scalarise import SCALARISATIONS

__all__ = ["LINEAR", "Scalarisation", "make_scalarisation", "rays"]

LINEAR = "linear"
"""The weighted sum, for which it is the same whether events or their means are added."""
TOWARDS = ("pbi", "cosmos")
"""Those whose formula is given where the losses shall end, not how much each matters."""
NEAR = 1e-6
"""Stands for a weight of 0, so that several of these are still in some proportion."""


@final
@dataclass(frozen=True, kw_only=True)
class Scalarisation:
    """One of :data:`SCALARISATIONS`, of the mean losses of all events that have equal weights.

    A large weight always means that a loss matters and gets small; ``pbi`` and ``cosmos`` get :func:`rays` of the weights.

    Args:
        key: which.
        settings: of it.
        events: how many events in a row share one draw of the weights, if these are a condition.
    """

    key: str
    settings: tuple[tuple[str, float], ...] = ()
    events: int = 32

    def __call__(self, losses: Tensor, weights: Tensor) -> Tensor:
        """One number ``[...]`` of mean losses ``[..., T]`` and weights of at least 0, ``[..., T]``.

        >>> pbi = make_scalarisation("pbi", {})
        >>> pbi(torch.tensor([1.0, 3.0]), torch.tensor([0.75, 0.25])).round(decimals=3)
        tensor(3.1620)
        """
        towards = rays(weights) if self.key in TOWARDS else weights
        return SCALARISATIONS[self.key](losses, towards, **dict(self.settings))

    def reduce(self, losses: Tensor, weights: Tensor, sizes: Tensor) -> Tensor:
        """Of events: each loss is averaged over those of equal weights first, and the numbers of all groups at the end.

        With one weight for all events it is the scalarisation of the mean losses; with one for each, of single events.

        Args:
            losses: ``[R, E, T]``.
            weights: ``[R, E, T]``.
            sizes: ``[R, E]``, the training weights of the events; their size divides, as in :func:`weighted_mean`.

        Returns:
            ``[R]``.

        >>> stch = make_scalarisation("stch", {"mu": 0.01})
        >>> losses = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [4.0, 4.0]]])
        >>> weights = torch.tensor([[[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]]])
        >>> stch.reduce(losses, weights, torch.ones(1, 3)).round(decimals=2)
        tensor([1.5000])
        """
        sizes = sizes.to(losses.dtype)
        place, padded = _grouped(weights)
        signed, own = (_put(each.flatten(), place, padded) for each in (sizes, sizes.abs()))
        size = own.sum(1)
        share = signed / size.clamp(min=torch.finfo(size.dtype).tiny).unsqueeze(1)
        means = (_put(losses.flatten(0, 1), place, padded) * share.unsqueeze(2)).sum(1)
        # The first of each group stands for it.
        of_group = _put(weights.flatten(0, 1).to(losses.dtype), place, padded)[:, 0]
        back = self(means, of_group)[place[0]].view(sizes.shape)
        whole = sizes.abs().sum(1, keepdim=True).clamp(min=torch.finfo(size.dtype).tiny)
        return (back * sizes.abs() / whole).sum(1)


def make_scalarisation(key: str, args: Mapping[str, Any]) -> Scalarisation:
    """A scalarisation from what a user writes.

    Raises:
        LookupError: there is none of this name.
        ValueError, TypeError: settings that it does not have, out of range, or no numbers.

    >>> make_scalarisation("stch", {"mu": 0.05, "events": 16})
    Scalarisation(key='stch', settings=(('mu', 0.05),), events=16)
    >>> make_scalarisation("stch", {"nu": 0.05})
    Traceback (most recent call last):
    ValueError: 'nu' is not a setting of stch (valid: events, ideal, mu)
    """
    if key not in SCALARISATIONS:
        msg = f"unknown scalarisation '{key}'{did_you_mean(key, SCALARISATIONS)}"
        raise LookupError(msg)
    given = dict(args)
    _check_names(key, given)
    events = given.pop("events", Scalarisation.events)
    if not isinstance(events, int) or isinstance(events, bool) or events < 1:
        msg = f"events is how many of them share one draw, 1 or more; found {events!r}"
        raise ValueError(msg)
    made = Scalarisation(key=key, settings=tuple(given.items()), events=events)
    made(torch.ones(2), torch.full((2,), 0.5))
    return made


def rays(weights: Tensor) -> Tensor:
    """Where losses shall end for the weights: in proportion to ``1 / w``, so that all ``w_t L_t`` are equal; the sum is 1.

    Two weights of sum 1 change places.

    Args:
        weights: ``[..., T]``, 0 or more.

    >>> rays(torch.tensor([[0.75, 0.25], [0.0, 1.0]])).round(decimals=4).tolist()
    [[0.25, 0.75], [1.0, 0.0]]
    """
    logs = -weights.clamp(min=NEAR).log()
    return torch.softmax(logs, -1)


def _check_names(key: str, given: Mapping[str, Any]) -> None:
    own = signature(SCALARISATIONS[key]).parameters.values()
    names = [p.name for p in own if p.kind is Parameter.KEYWORD_ONLY] + ["events"]
    for name, value in given.items():
        if name not in names:
            msg = f"'{name}' is not a setting of {key}{did_you_mean(name, names)}"
            raise ValueError(msg)
        if not isinstance(value, int | float) or isinstance(value, bool):
            msg = f"{name} is a number, found {value!r}"
            raise TypeError(msg)


def _grouped(weights: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
    """The group of each of ``R E`` events and its place there, and ``(G, M)``: how many groups, and of how many at most."""
    members, _, parts = weights.shape
    # Rows that differ differ in such a sum too; members are far apart.
    factors = torch.arange(2, parts + 2, device=weights.device).double().sqrt()
    marks = weights.double() @ factors
    apart = 2.0 * (marks.abs().amax() + 1.0) if marks.numel() else marks.new_ones(())
    marks = marks + apart * torch.arange(members, device=marks.device).unsqueeze(1)
    _, group, counts = torch.unique(marks.flatten(), return_inverse=True, return_counts=True)
    order = group.argsort(stable=True)
    before = (counts.cumsum(0) - counts)[group[order]]
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=order.device) - before
    return (group, place), (len(counts), int(counts.max()) if len(counts) else 0)


def _put(values: Tensor, place: tuple[Tensor, Tensor], padded: tuple[int, int]) -> Tensor:
    """Events ``[R E, ...]`` by group, ``[G, M, ...]``, 0 where a group has fewer. No two meet, so sums have an order."""
    return values.new_zeros(*padded, *values.shape[1:]).index_put(place, values)
