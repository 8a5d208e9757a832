"""Conditions in a supernet: where they enter its candidates, and its paths as networks of their own.

A candidate that is a leaf becomes :class:`tsunagu.layers.Conditioned`, as it does alone; a chain with switches inside becomes
:class:`Modulated`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from torch import nn

from tsunagu.layers import Conditioned, Modulation, film_sites
from tsunagu.spec import Architecture
from tsunagu.tasks.conditions import CONDITION, Conditions
from tsunagu.tasks.graph import Graph, Wiring, condition_weights
from tsunagu.tasks.supernet.modulated import Head, Modulated
from tsunagu.tasks.supernet.switch import Chain, Switch, inside, leaves_of
from tsunagu.tasks.supernet.views import single_path

__all__ = ["conditioned_models", "path_alone", "unconditioned"]

INPUT = (CONDITION, CONDITION)
"""One input more, by keyword."""


def conditioned_models(
    models: Mapping[str, nn.Module], wirings: Mapping[str, Wiring], conditions: Conditions, seed: int
) -> tuple[dict[str, nn.Module], dict[str, Wiring]]:
    """The candidates with sites take the condition as one input more.

    Args:
        models: of a supergraph, by task.
        wirings: how they read their inputs.
        conditions: of the pipeline.
        seed: the trial's.
    """

    def make(net: nn.Module, task: str) -> nn.Module:
        with condition_weights(seed, task):
            whole = Conditioned(net, len(conditions.labels))
        return _modulated(net, whole) if isinstance(net, Chain) else whole

    pairs = {
        name: _conditioned(model, wirings[name], partial(make, task=name)) for name, model in models.items()
    }
    return {name: model for name, (model, _) in pairs.items()}, {
        n: wiring for n, (_, wiring) in pairs.items()
    }


def path_alone(net: Graph, architecture: Mapping[str, str]) -> Graph:
    """One path of a supergraph as a graph of its own, as :func:`tsunagu.tasks.build_graph` builds the same architecture.

    Without conditions, and where no switch stands inside a chain, it shares what :func:`single_path` does; else it is a copy.
    """
    path = single_path(net, architecture)
    models = {
        name: model.alone() if isinstance(model, Modulated) else model for name, model in path.models.items()
    }
    wirings = {
        name: wiring if isinstance(models[name], Conditioned) else _without(wiring)
        for name, wiring in path.wiring.items()
    }
    return Graph(models, wirings, path.outputs, path.conditions) if path.conditions else path


def unconditioned(graph: Graph) -> Architecture | None:
    """A path of a supergraph none of whose models takes the condition; None where there is none."""
    found = next(_ways(list(graph.models.values()), {}), None)
    return None if found is None else Architecture(found)


def _conditioned(
    net: nn.Module, wiring: Wiring, make: Callable[[nn.Module], nn.Module]
) -> tuple[nn.Module, Wiring]:
    if not film_sites(net):
        return net, wiring
    positional, keywords = wiring
    taken = positional, (*keywords, INPUT)
    if not isinstance(net, Switch):
        return make(net), taken
    assert net.wirings is not None
    pairs = [_conditioned(*pair, make) for pair in zip(net.all, net.wirings, strict=True)]
    made = Switch([option for option, _ in pairs], net.decisions, net.choices)
    made.wirings = tuple(own for _, own in pairs)
    return made, taken


def _modulated(chain: nn.Module, whole: Conditioned) -> Modulated:
    source, heads, first = Modulation(), list[Head](), 0
    for leaf in leaves_of(chain).values():
        if sites := list(film_sites(leaf).values()):
            heads.append(Head(whole.trunk.out_features, sites, first))
            for number, site in enumerate(sites, first):
                site.listen(source, number)
            first += len(sites)
    return Modulated(chain, whole.trunk, heads, source)


def _without(wiring: Wiring) -> Wiring:
    positional, keywords = wiring
    return positional, tuple(pair for pair in keywords if pair != INPUT)


def _ways(nets: Sequence[nn.Module], decided: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The ways through modules, one after the other, that meet no site."""
    if not nets:
        yield decided
        return
    # Looked at before any of them is walked through: what stands behind may have a site on every way.
    if all(map(_may, nets)):
        for own in _way(nets[0], decided):
            yield from _ways(nets[1:], own)


def _way(net: nn.Module, decided: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    if isinstance(net, Switch):
        for option, own in zip(net.all, net.decisions, strict=True):
            if all(decided.get(label, taken) == taken for label, taken in own.items()):
                yield from _way(option, {**decided, **own})
    elif parts := inside(net):
        yield from _ways(list(parts), decided)
    elif not film_sites(net):
        yield decided


def _may(net: nn.Module) -> bool:
    if isinstance(net, Switch):
        return any(map(_may, net.all))
    parts = inside(net)
    return all(map(_may, parts)) if parts else not film_sites(net)
