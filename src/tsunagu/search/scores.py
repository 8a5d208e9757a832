"""What the samplers of whole pipelines have in common: a list of architectures with their losses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from tsunagu.search.searcher import Losses, Paths
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Scored", "Scores", "best_of", "judged", "ranked"]

Scored = tuple[Architecture, float]


@final
@dataclass(frozen=True, kw_only=True)
class Scores:
    """The state of a sampler that remembers all it was told.

    Args:
        space: what is searched.
        seed: of all draws.
        step: how many answers it has been told.
        scored: every architecture that was judged, with its loss, in order.
    """

    space: Space
    seed: int
    step: int = 0
    scored: tuple[Scored, ...] = ()

    def seen(self) -> list[Architecture]:
        """All architectures that were judged."""
        return [architecture for architecture, _ in self.scored]

    def told(self, asked: Paths, losses: Losses) -> Scores:
        """The state with one more answer."""
        scored = (*self.scored, *judged(asked.architectures, losses))
        return Scores(space=self.space, seed=self.seed, step=self.step + 1, scored=scored)


def judged(architectures: Sequence[Architecture], losses: Losses) -> tuple[Scored, ...]:
    """Each architecture with its loss; a loss that is not a number is infinite, so it is never the best.

    Raises:
        ValueError: not one loss for each architecture.

    >>> judged([Architecture({"lr": "0.1"})], [float("nan")])
    ((Architecture({'lr': '0.1'}), inf),)
    """
    if len(architectures) != len(losses):
        msg = f"{len(architectures)} architectures were asked, but {len(losses)} losses were told"
        raise ValueError(msg)
    values = [float(loss) for loss in losses]
    return tuple(zip(architectures, [math.inf if math.isnan(v) else v for v in values], strict=True))


def ranked(scored: Iterable[Scored]) -> list[Architecture]:
    """Architectures by ascending loss; of equal ones the first stays first."""
    return [architecture for architecture, _ in sorted(scored, key=lambda pair: pair[1])]


def best_of(scored: Sequence[Scored]) -> Architecture:
    """The architecture of the smallest loss.

    Raises:
        ValueError: nothing was judged yet.
    """
    if not scored:
        msg = "nothing was judged yet; tell the searcher at least one answer before it can name the best"
        raise ValueError(msg)
    return ranked(scored)[0]
