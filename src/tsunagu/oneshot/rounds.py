"""What the steps of a supernet take one after the other: candidates, drawn paths, events for questions."""

from __future__ import annotations

from typing import Any, final

from torch import Tensor

from tsunagu.data import Table
from tsunagu.search import Decide, Space, TrainsPaths, fair_paths
from tsunagu.spec import Architecture, Pipeline, choices
from tsunagu.tasks import Stage

__all__ = ["Candidates", "DrawnAhead", "Questioned"]

_AHEAD = 64


@final
class Candidates:
    """The paths of a stage that trains tasks alone: in each step each of their candidates once.

    Args:
        pipeline: with choices.
        space: all of them.
        stage: says which tasks.
        seed: of the order in which choices inside options take turns.
    """

    def __init__(self, pipeline: Pipeline, space: Space, stage: Stage, *, seed: int) -> None:
        own = {"tasks": {name: pipeline.tasks[name] for name in stage.tasks}}
        self._space, self._seed = space, seed
        self._own = Space(own) if choices(own) else None

    def at(self, step: int) -> list[Architecture]:
        """Those of a step; other tasks, which do not run, have their first options."""
        own = [Architecture({})] if self._own is None else fair_paths(self._own, self._seed, step)
        return [self._space.walk(_as_in(decided)) for decided in own]


@final
class DrawnAhead:
    """The paths that a searcher trains while it is told nothing, drawn many steps at a time.

    Drawing one between two steps takes four times as long, since it finds nothing in the processor's caches.

    Args:
        searcher: that names them.
        state: which does not change.
    """

    def __init__(self, searcher: TrainsPaths, state: Any) -> None:
        self._searcher, self._state = searcher, state
        self._drawn: dict[int, list[Architecture]] = {}

    def at(self, step: int) -> list[Architecture]:
        """Those of a step."""
        if step not in self._drawn:
            ahead = range(step, step + _AHEAD)
            self._drawn = {each: self._searcher.ask_training(self._state, each) for each in ahead}
        return self._drawn[step]


@final
class Questioned:
    """Validation events: one batch after the other, in a new order every time around.

    The few that are left at the end of a round are left out: they would say little.

    Args:
        table: the events.
        rows: ``[N]`` validation rows.
        size: of a batch.
        seed: of the orders.
    """

    def __init__(self, table: Table, rows: Tensor, size: int, *, seed: int) -> None:
        self._table, self._rows, self._size, self._seed = table, rows, size, seed
        self._round: tuple[int, list[Tensor]] | None = None

    def at(self, step: int) -> Tensor:
        """``[B]`` rows for the question of a step."""
        around, place = divmod(step, max(1, len(self._rows) // self._size))
        if self._round is None or self._round[0] != around:
            self._round = around, list(self._table.batches(self._rows, self._size, self._seed, around))
        return self._round[1][place]


def _as_in(own: Architecture) -> Decide:
    """An option as it was decided, and the first where it was not."""
    return lambda label, options: own.get(label, options[0])
