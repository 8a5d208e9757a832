"""What a trained supernet and its searcher come to: one architecture, found on validation events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from tsunagu.oneshot.judging import Judge, judging
from tsunagu.oneshot.objectives import Objectives
from tsunagu.oneshot.strategy import Strategy
from tsunagu.search import HasDistribution, confidence, select_by_perturbation
from tsunagu.spec import Architecture
from tsunagu.train import CHUNK

__all__ = ["MOST_JUDGED", "Chosen", "choose"]

MOST_JUDGED = 100
"""Paths that are all judged when the search has ended, to be compared with trainings of their own."""


@final
@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The outcome of a search.

    Args:
        architecture: what it chose.
        value: the metric of that path on the validation events, with the supernet's weights.
        values: the same of all paths that were judged.
        confidence: of the searcher in its least certain choice, or None where it holds no distribution.
    """

    architecture: Architecture
    value: float
    values: Mapping[Architecture, float]
    confidence: float | None


def choose(strategy: Strategy, state: Any, judge: Judge, objectives: Objectives) -> Chosen:
    """Ask what is still to be asked, and choose.

    Args:
        strategy: with the searcher.
        state: of the searcher, at the end of the training.
        judge: of whole paths.
        objectives: of the last stage.
    """
    values: dict[Architecture, float] = {}
    searcher = strategy.searcher
    while not (strategy.learns or searcher.done(state)):
        asked = searcher.ask(state)
        found = dict(zip(asked.architectures, judge.values(asked.architectures), strict=True))
        values |= found
        state = searcher.tell(state, asked, [judge.metric.cost(found[each]) for each in asked.architectures])
    best = _best(strategy, state, judge, objectives)
    left = [each for each in _judged(state, best) if each not in values]
    values |= dict(zip(left, judge.values(left), strict=True))
    sure = confidence(searcher.distribution(state)) if isinstance(searcher, HasDistribution) else None
    return Chosen(architecture=best, value=values[best], values=values, confidence=sure)


def _best(strategy: Strategy, state: Any, judge: Judge, objectives: Objectives) -> Architecture:
    selection = getattr(strategy.searcher, "selection", "argmax")
    if selection == "argmax":
        best: Architecture = strategy.searcher.best(state)
        return best
    weights = objectives.placed(strategy.searcher.ask(state).weights)
    by = "removal" if selection == "perturbation" else selection
    return select_by_perturbation(
        state.space, weights, lambda changed: _loss(objectives, changed, judge.rows), by=by
    )


def _loss(objectives: Objectives, weights: Mapping[str, Tensor], rows: Tensor) -> float:
    """The mixture's loss on all validation events."""
    total = size = 0.0
    with torch.no_grad(), judging(objectives.graph):
        for chunk in torch.split(rows, CHUNK):
            # A chunk's loss is a mean by the size of the weights.
            events = float(objectives.table.weights(chunk).abs().sum())
            total, size = total + events * float(objectives.of_mixture(weights, chunk)), size + events
    return total / size


def _judged(state: Any, best: Architecture) -> list[Architecture]:
    return [*state.space.all()] if state.space.count <= MOST_JUDGED else [best]
