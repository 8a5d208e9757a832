"""From a spec with choices to one module that holds all candidates.

A choice between modules becomes a :class:`Switch` where it stands. Any other choice is made at the smallest node that
mentions it: that node becomes a switch over all ways to decide what its arguments mention. Every leaf is built as
:func:`tsunagu.tasks.build` would build it, with the generator of the seed, its place without labels of options, and its
arguments, so its first weights are those of the same candidate trained alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import final

from torch import nn
from torch.nn.parameter import UninitializedParameter

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.layers import find, stochastic
from tsunagu.machine import available_memory
from tsunagu.random import derive_seed
from tsunagu.spec import (
    Choice,
    Node,
    Pipeline,
    Value,
    architectures,
    choices,
    count,
    options,
    order,
    resolve,
    walk,
)
from tsunagu.spec.architecture import label_at
from tsunagu.tasks.build import build
from tsunagu.tasks.conditions import conditions_of
from tsunagu.tasks.graph import Graph, Wiring, unfit_weights, wire
from tsunagu.tasks.supernet.conditioned import conditioned_models
from tsunagu.tasks.supernet.switch import Chain, Switch, spelled

__all__ = ["COPIES", "MOST", "build_supergraph", "build_supernet", "first_leaf"]

COPIES = 4
"""What a training holds of each weight: itself, its gradient, and the two moments of Adam."""
MOST = 4096
"""Candidates of one node."""


def build_supernet(value: Value, *, seed: int, path: Path = (), memory: float | None = None) -> nn.Module:
    """Build a node, or a list of nodes, in which choices are left.

    Args:
        value: as for :func:`tsunagu.tasks.build`; without choices the result is the same.
        seed: the trial's seed.
        path: where the value stands in the spec; choices without a name are labelled by it.
        memory: bytes that a training may fill; by default what this machine has left.

    Returns:
        A module with a :class:`Switch` at each place where something is left to choose.

    Raises:
        SpecError: candidates that cannot be built, all of them at once, each with its options; or more weights than
            there is memory for.
        ChoiceError: one name with two definitions.

    >>> from tsunagu.spec import choice, node
    >>> build_supernet([node("Linear", 2, 2), choice(node("ReLU"), node("GELU"), name="act")], seed=1)
    Chain(
      (0): Linear(in_features=2, out_features=2, bias=True)
      (1): Switch(
        act
        (options): ModuleList(
          (0): ReLU()
          (1): GELU(approximate='none')
        )
      )
    )
    """
    place = _Place(path, tuple(map(str, path)))
    choices(value, place.labels)
    site = _Site(seed=seed, memory=available_memory() if memory is None else memory)
    net = site.build(value, place)
    if site.mistakes:
        raise SpecError(list(dict.fromkeys(site.mistakes)))
    return net


def build_supergraph(
    pipeline: Pipeline, *, seed: int, memory: float | None = None, point: tuple[float, ...] | None = None
) -> Graph:
    """Build all candidates of a pipeline and wire them by name.

    Args:
        pipeline: choices may be left in its models; those elsewhere are not looked at.
        seed: the trial's seed.
        memory: as for :func:`build_supernet`.
        point: the values of all conditions at which paths are compared; the middle of their ranges by default.

    Returns:
        A graph for :func:`single_path`, :func:`take` and :func:`mixture`.

    Raises:
        SpecError: as for :func:`build_supernet` and :func:`tsunagu.tasks.build_graph`.
    """
    choices(pipeline)
    names, conditions = order(pipeline), replace(conditions_of(pipeline), point=point)
    memory = available_memory() if memory is None else memory
    site = _Site(seed=seed, memory=memory, film=bool(conditions))
    models = {n: site.build(pipeline.tasks[n].model, _Place(("tasks", n, "model"))) for n in names}
    mistakes = site.mistakes + [m for name, model in models.items() for m in unfit_weights(model, name)]
    wirings: dict[str, Wiring] = {}
    for name in names if not mistakes else ():
        try:
            wirings[name] = _wire(models[name], pipeline, name)
        except SpecError as error:
            mistakes += error.mistakes
    if mistakes:
        raise SpecError(list(dict.fromkeys(mistakes)))
    if conditions:
        models, wirings = conditioned_models(models, wirings, conditions, seed)
    return Graph(models, wirings, {n: pipeline.tasks[n].output for n in names}, conditions)


def first_leaf(net: nn.Module) -> nn.Module:
    """The first module that runs, on the path of all first options."""
    if isinstance(net, Switch):
        return first_leaf(net.all[0])
    return first_leaf(net[0]) if isinstance(net, Chain) else net


@final
@dataclass(frozen=True)
class _Place:
    """A place in the spec.

    Args:
        path: without labels of options, as leaves are seeded by it.
        labels: with them and without ``args``, as choices are labelled by it.
        decided: what led here, for messages.
    """

    path: Path
    labels: tuple[str, ...] = ()
    decided: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", self.labels or tuple(map(str, self.path)))

    def at(self, step: int, *between: str) -> _Place:
        return _Place((*self.path, *between, step), (*self.labels, str(step)), self.decided)

    def option(self, decided: Mapping[str, str], *labels: str) -> _Place:
        taken = ", ".join(filter(None, [self.decided, spelled(decided)]))
        return _Place(self.path, (*self.labels, *labels), taken)


@final
@dataclass
class _Site:
    """A supernet while it is being built: what went wrong, and how much memory it has filled."""

    seed: int
    memory: float
    film: bool = False
    mistakes: list[Mistake] = field(default_factory=list)
    weights: int = 0

    def build(self, value: Value, place: _Place) -> nn.Module:
        if not _has_choices(value):
            return self._leaf(value, place)
        if isinstance(value, list | tuple):
            return Chain(*(self.build(part, place.at(i)) for i, part in enumerate(value)))
        if isinstance(value, Choice):
            return self._switch(value, place)
        if _is_sequence(value):
            chain = Chain(*(self.build(part, place.at(i, "args")) for i, part in enumerate(value.args)))
            # As `build` does: the noise of a sequence that is a node is seeded by its own place.
            _reseed(chain, derive_seed(self.seed, "noise", *place.path), ())
            return chain
        return self._product(value, place)

    def _switch(self, value: Choice, place: _Place) -> nn.Module:
        label = label_at(value, place.labels)
        decided = [{label: option} for option in value.options]
        modules = [
            self.build(part, place.option(own, option))
            for own, (option, part) in zip(decided, value.options.items(), strict=True)
        ]
        return Switch(modules, decided, {label: tuple(value.options)})

    def _product(self, value: Node, place: _Place) -> nn.Module:
        if (number := count(value)) > MOST:
            found = f"{value.key} would be built {number:,} times, once for each way to decide {', '.join(choices(value, place.labels))}"
            self.mistakes.append(
                Mistake(place.path, f"{found}; at most {MOST:,} are possible: leave less open")
            )
            return nn.Identity()
        decided = list(architectures(value, place.labels))
        modules = [self._leaf(resolve(value, own, place.labels), place.option(own)) for own in decided]
        known = choices(value, place.labels)
        return Switch(modules, decided, {label: tuple(one.options) for label, one in known.items()})

    def _leaf(self, value: Value, place: _Place) -> nn.Module:
        try:
            module = build(value, seed=self.seed, path=place.path, film=self.film)
        except SpecError as error:
            self.mistakes += [_with(place.decided, mistake) for mistake in error.mistakes]
            return nn.Identity()
        self.weights += sum(
            p.numel() * p.element_size()
            for p in module.parameters()
            if not isinstance(p, UninitializedParameter)
        )
        if self.weights * COPIES > self.memory:
            raise SpecError([_too_large(self.weights, self.memory, place.path)])
        return module


def _has_choices(value: Value) -> bool:
    return any(isinstance(part, Choice) for _, part in walk(value))


def _is_sequence(value: Node) -> bool:
    """Whether a node is torch's container of nothing but nodes: it has no weights of its own to draw."""
    if not value.key.startswith("Sequential") or find(value.key) is not nn.Sequential:
        return False
    parts = [part for arg in value.args for _, part in options(arg)]
    return isinstance(value.args, list) and all(isinstance(part, Node) for part in parts)


def _reseed(net: nn.Module, seed: int, within: tuple[str, ...]) -> None:
    """As :func:`tsunagu.layers.reseed` on each single path."""
    if isinstance(net, Switch):
        for option in net.all:
            _reseed(option, seed, within)
    elif isinstance(net, Chain):
        for i, part in enumerate(net):
            _reseed(part, seed, (*within, str(i)))
    else:
        for name, layer in stochastic(net):
            layer.reseed(derive_seed(seed, ".".join((*within, *filter(None, [name])))))


def _wire(net: nn.Module, pipeline: Pipeline, name: str) -> Wiring:
    """How a model reads its task's inputs; a switch at the top takes them all by name and lets each option choose."""
    task = pipeline.tasks[name]
    if isinstance(net, Chain):
        return wire(nn.Sequential(first_leaf(net)), task, name)
    if not isinstance(net, Switch):
        return wire(net, task, name)
    wirings = []
    for option, own in zip(net.all, net.decisions, strict=True):
        try:
            wirings.append(_wire(option, pipeline, name))
        except SpecError as error:
            raise SpecError([_with(spelled(own), mistake) for mistake in error.mistakes]) from error
    net.wirings = tuple(wirings)
    read = dict.fromkeys(column for wiring in wirings for column in _columns(wiring))
    return (), tuple((column, column) for column in read)


def _columns(wiring: Wiring) -> Iterator[str]:
    yield from wiring[0]
    yield from (column for _, column in wiring[1])


def _with(decided: str, mistake: Mistake) -> Mistake:
    return Mistake(mistake.path, f"with {decided}: {mistake.message}") if decided else mistake


def _too_large(weights: int, memory: float, path: Path) -> Mistake:
    found = (
        f"the supernet does not fit into memory: with the candidates up to here it has {weights / 1e9:.3g} GB of weights, and "
        f"a training holds {COPIES} times that (weights, gradients and Adam's two moments), but {memory / 1e9:.3g} GB are "
        "available; leave fewer or smaller options open"
    )
    return Mistake(path, found)
