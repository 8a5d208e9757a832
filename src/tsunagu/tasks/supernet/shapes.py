"""Do the options of a supernet fit each other? Found on a few events, without going through every architecture.

What a module gives depends, in shape, on the shapes that come in. So paths that have led to equal shapes go on as one,
and kept apart only are the options of names that are used again further on. Every option is tried on every shape that
can reach it, and the number of tries grows with the options and not with their product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor, nn

from tsunagu.errors import Mistake, Path
from tsunagu.tasks.build import reason
from tsunagu.tasks.conditions import CONDITION
from tsunagu.tasks.graph import Graph, Wiring
from tsunagu.tasks.supernet.modulated import Modulated
from tsunagu.tasks.supernet.switch import Chain, Switch, labels_of, run_option, spelled

__all__ = ["MOST_STATES", "Reached", "walk_shapes"]

MOST_STATES = 1024
"""Different shapes, with the options of names that are used again, that are followed at a time."""


@final
@dataclass(frozen=True)
class Reached:
    """Something that a path has led to.

    Args:
        made: a tensor or what else a module returned, or the known columns by name.
        decided: one of the ways there.
    """

    made: Any
    decided: Mapping[str, str]


def walk_shapes(
    graph: Graph, batch: Mapping[str, Tensor], tasks: Sequence[str], *, mixed: bool, found: list[Mistake]
) -> Iterator[tuple[str, Reached]]:
    """Try a supergraph on a few events.

    Args:
        graph: of :func:`build_supergraph`, in evaluation mode.
        batch: columns ``[E, ...]`` by name, substitutes included.
        tasks: which tasks, in order.
        mixed: try the mixture, in which options must give equal shapes; else single paths.
        found: mistakes are added here.

    Yields:
        Each task with each of the different shapes of its output ``[E, ...]``: the columns known then, and one of the
        ways there.
    """
    walk = _Walk(events=len(next(iter(batch.values()))), mixed=mixed, found=found)
    states = [Reached(dict(batch), {})]
    for i, name in enumerate(tasks):
        later = frozenset[str]().union(*(labels_of(graph.models[other]) for other in tasks[i + 1 :]))
        made = [one for state in states for one in walk.task(graph, name, state, later)]
        yield from ((name, one) for one in _different(made, frozenset(), [graph.outputs[name]]))
        states = _different(made, later, graph.columns(tasks[i + 1 :]))


@final
@dataclass
class _Walk:
    events: int
    mixed: bool
    found: list[Mistake]
    path: Path = field(default=())

    def task(self, graph: Graph, name: str, state: Reached, later: frozenset[str]) -> Iterator[Reached]:
        self.path = ("tasks", name, "model")
        positional, keywords = graph.wiring[name]
        inputs = tuple(state.made[column] for column in positional)
        named = {argument: state.made[column] for argument, column in keywords}
        for one in self.run(graph.models[name], None, inputs, named, state.decided, later):
            if isinstance(one.made, Tensor) and one.made.shape[:1] == (self.events,):
                yield Reached({**state.made, graph.outputs[name]: one.made}, one.decided)
            else:
                wanted = f"expected a tensor [{self.events}, ...] for {self.events} events from the model"
                self._add(one.decided, f"{wanted}, found {_shape(one.made)}")

    def run(
        self,
        net: nn.Module,
        wiring: Wiring | None,
        inputs: tuple[Any, ...],
        named: Mapping[str, Any],
        decided: Mapping[str, str],
        later: frozenset[str],
    ) -> list[Reached]:
        """All that a module may give; ``later`` holds the labels that count further on."""
        if wiring is not None:
            inputs, named = (
                tuple(named[column] for column in wiring[0]),
                {argument: named[column] for argument, column in wiring[1]},
            )
        if isinstance(net, Switch):
            return self._switch(net, inputs, named, decided, later)
        if isinstance(net, Modulated):
            rest = {name: value for name, value in named.items() if name != CONDITION}
            with net.modulated(named[CONDITION]):
                return self.run(net.model, None, inputs, rest, decided, later)
        if isinstance(net, Chain):
            return self._chain(list(net), inputs, decided, later)
        try:
            with torch.no_grad():
                return [Reached(run_option(net, None, inputs, named), decided)]
        except Exception as error:  # noqa: BLE001 - a user's module may fail in any way
            shapes = _shapes(inputs, named)
            self._add(decided, f"{type(net).__name__} fails on {shapes}: {reason(error)}")
            return []

    def _switch(
        self,
        switch: Switch,
        inputs: tuple[Any, ...],
        named: Mapping[str, Any],
        decided: Mapping[str, str],
        later: frozenset[str],
    ) -> list[Reached]:
        made: list[tuple[str, Reached]] = []
        for number, own in enumerate(switch.decisions):
            if all(decided.get(label, taken) == taken for label, taken in own.items()):
                wiring = None if switch.wirings is None else switch.wirings[number]
                reached = self.run(switch.all[number], wiring, inputs, named, {**decided, **own}, later)
                made += [(", ".join(own.values()), one) for one in reached]
        if self.mixed and self._equal(switch, made, _shapes(inputs, named)):
            # All options have been mixed: none of them is decided further on.
            return [Reached(one.made, decided) for _, one in made[:1]]
        return _different((one for _, one in made), later)

    def _chain(
        self,
        parts: Sequence[nn.Module],
        inputs: tuple[Any, ...],
        decided: Mapping[str, str],
        later: frozenset[str],
    ) -> list[Reached]:
        states = self.run(parts[0], None, inputs, {}, decided, later.union(*map(labels_of, parts[1:])))
        for i, part in enumerate(parts[1:], 2):
            after = later.union(*map(labels_of, parts[i:]))
            made = [
                one
                for state in states
                for one in self.run(part, None, (state.made,), {}, state.decided, after)
            ]
            states = _different(made, after)
        return states

    def _equal(self, switch: Switch, made: Sequence[tuple[str, Reached]], inputs: str) -> bool:
        shapes = {option: _shape(one.made) for option, one in made}
        equal = len({_shape(one.made) for _, one in made}) <= 1
        if not equal:
            listed = ", ".join(f"{option} gives {shape}" for option, shape in shapes.items())
            found = (
                f"{switch.title}: a mixture adds up its options, but on {inputs} {listed}; give the options "
                "equal output shapes, or search with single paths"
            )
            self.found.append(Mistake(self.path, found))
        return equal

    def _add(self, decided: Mapping[str, str], message: str) -> None:
        taken = spelled(decided)
        self.found.append(Mistake(self.path, f"with {taken}: {message}" if taken else message))


def _different(
    made: Iterable[Reached], later: frozenset[str], columns: Sequence[str] | None = None
) -> list[Reached]:
    """One of each shape (of these columns), and of each way to decide what counts further on."""
    kept: dict[object, Reached] = {}
    for one in made:
        shape = _signature(one.made if columns is None else [one.made[column] for column in columns])
        decided = frozenset((label, taken) for label, taken in one.decided.items() if label in later)
        kept.setdefault((shape, decided), one)
    return list(kept.values())[:MOST_STATES]


def _signature(made: Any) -> object:
    if isinstance(made, Tensor):
        return tuple(made.shape), made.dtype
    return tuple(map(_signature, made)) if isinstance(made, list | tuple) else type(made)


def _shape(made: Any) -> str:
    return str(list(made.shape)) if isinstance(made, Tensor) else f"a {type(made).__name__}"


def _shapes(inputs: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    named_ = [f"{name} {_shape(part)}" for name, part in named.items()]
    return ", ".join([*map(_shape, inputs), *named_])
