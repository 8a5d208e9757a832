"""Single-path one-shot: train random paths of a supernet, then search with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from tsunagu.random import derive_seed
from tsunagu.search.evolution import Evolution
from tsunagu.search.fair import fair_paths
from tsunagu.search.registry import register_searcher
from tsunagu.search.scores import Scores
from tsunagu.search.searcher import Losses, Paths, Searcher, generator_of
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Spos"]


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Spos(Searcher[Scores, Paths, Losses]):
    """Single-path one-shot (Guo et al., arXiv:1904.00420): no architecture parameters at all.

    Every step trains one uniformly drawn path. When the supernet is trained, its paths are judged on validation
    events with the weights they inherit, BatchNorm statistics measured anew for each, and the best is trained from
    scratch.

    Args:
        fair: train as FairNAS does (Chu et al., arXiv:1907.01845): the paths of one step hold every option of a
            choice exactly once, so all are trained equally often and not only in the mean.
        evolution: how the trained supernet is searched.

    >>> from tsunagu.spec import choice
    >>> space = Space({"model": choice("a", "b", "c")})
    >>> search = Spos(fair=True)
    >>> paths = search.ask_training(search.init(space, seed=1), step=0)
    >>> sorted(path["model"] for path in paths)
    ['a', 'b', 'c']
    """

    fair: bool = False
    evolution: Evolution = field(default_factory=Evolution)

    def __post_init__(self) -> None:
        given: Any = self.evolution
        if isinstance(given, Mapping):  # as a study file says it
            object.__setattr__(self, "evolution", _evolution(given))

    def init(self, space: Space, seed: int) -> Scores:
        return self.evolution.init(space, seed)

    def ask_training(self, state: Scores, step: int) -> list[Architecture]:
        """One path drawn uniformly; or as many as the widest choice has options, without replacement."""
        if self.fair:
            return fair_paths(state.space, derive_seed(state.seed, "fair paths"), step)
        return [state.space.draw(generator_of(state, "single path", step))]

    def ask(self, state: Scores) -> Paths:
        return self.evolution.ask(state)

    def tell(self, state: Scores, asked: Paths, answer: Losses) -> Scores:
        return self.evolution.tell(state, asked, answer)

    def best(self, state: Scores) -> Architecture:
        return self.evolution.best(state)

    def done(self, state: Scores) -> bool:
        return self.evolution.done(state)


def _evolution(settings: Mapping[str, Any]) -> Evolution:
    try:
        return Evolution(**settings)
    except (TypeError, ValueError) as error:
        msg = f"evolution: {error}"
        raise ValueError(msg) from error
