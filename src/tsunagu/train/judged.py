"""The losses of a stage, for all members of a population at once.

Legend: ``R`` members, ``B`` events in a batch, ``T`` losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import torch
from torch import Tensor

from tsunagu.losses import weighted_mean
from tsunagu.tasks import Stage, Term
from tsunagu.tasks.conditions import VALUES
from tsunagu.train.combining import Known
from tsunagu.train.stacked import Pick

__all__ = ["Judged"]


@final
class Judged:
    """What a stage asks members to minimise, each with its own weights of the losses.

    Args:
        stages: the stage of each, which differ in weights alone.
        device: of the events.
    """

    def __init__(self, stages: Sequence[Stage], device: torch.device) -> None:
        self._members, self._scalarise = len(stages), stages[0].scalarise
        every = zip(*(stage.terms for stage in stages), strict=True)
        self._terms = [_weighted(terms, device) for terms in every]

    def losses(self, known: Known, weight: Tensor, sizes: Tensor | None = None) -> Tensor:
        """The objective of each member ``[R]``.

        Args:
            known: of a batch, the outputs included.
            weight: ``[R, B]``, training weights.
            sizes: ``[R]``, ``sum_e |w_e|`` of the batches that these events are a part of.
        """
        if self._scalarise is not None:
            return self._scalarise.reduce(*self._apart(known), weight)
        return weighted_mean(self._summed(known, weight), weight, sizes)

    def each(self, read: Sequence[Known], weight: Tensor) -> list[Tensor]:
        """The losses of each term ``[R, B]``, each from what it reads, with the training weights ``[R, B]``."""
        return [self._one(*term, known, weight) for term, known in zip(self._terms, read, strict=True)]

    def _summed(self, known: Known, sizes: Tensor) -> Tensor:
        total: Tensor | None = None
        for term, weight in self._terms:
            part = self._one(term, weight, known, sizes)
            total = part if total is None else total + part
        assert total is not None
        return total

    def _apart(self, known: Known) -> tuple[Tensor, Tensor]:
        """The losses of each term and their weights, ``[R, B, T]`` each."""
        losses, weights = [], []
        for term, weight in self._terms:
            batch = _flat(known, term)
            each = term.bare(batch[term.output], batch)
            shares = term.factors(each, batch).view(self._members, -1)
            losses.append(each.view(shares.shape))
            weights.append(shares if weight is None else weight * shares)
        return torch.stack(losses, -1), torch.stack(weights, -1)

    def _one(self, term: Term, weight: Tensor | None, known: Mapping[str, Pick], sizes: Tensor) -> Tensor:
        batch = _flat(known, term)
        part = term.of(batch[term.output], batch, sizes).view(self._members, -1)
        return part if weight is None else weight * part


def _weighted(terms: Sequence[Term], device: torch.device) -> tuple[Term, Tensor | None]:
    """One loss of all members, with its weights ``[R, 1]``, or None where all are 1."""
    weights = [term.weight for term in terms]
    return terms[0], None if set(weights) == {1.0} else torch.tensor(weights, device=device)[:, None]


def _flat(known: Mapping[str, Pick], term: Term) -> dict[str, Tensor]:
    """What a loss reads, ``[R B, ...]``, the members one after the other."""
    names = (term.output, *term.columns, *([VALUES] if VALUES in known else []))
    return {name: known[name].all().flatten(0, 1) for name in names}
