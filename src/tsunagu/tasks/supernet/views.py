"""Two ways to look at a supernet without its switches; both share its parameters and buffers.

``single_path`` takes one option at each switch and gives a plain module; ``mixture`` runs all options and adds them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import mul
from typing import Any, TypeVar, final
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from tsunagu.errors import ChoiceError
from tsunagu.spec import Architecture
from tsunagu.tasks.graph import Graph, Wiring
from tsunagu.tasks.supernet.modulated import Modulated
from tsunagu.tasks.supernet.switch import Chain, Switch, run_option

__all__ = ["Mixture", "mixture", "own_outputs", "path_of_task", "single_path"]

# A type variable of the old kind: the project supports Python 3.11.
NetT = TypeVar("NetT", bound=nn.Module)


def single_path(net: NetT, architecture: Mapping[str, str]) -> NetT:
    """One path of a supernet as a plain module, with the supernet's own parameters and buffers.

    Args:
        net: of :func:`build_supernet` or :func:`build_supergraph`.
        architecture: option by label; labels that the net does not have are passed over.

    Returns:
        A module without switches, with the state-dict keys of ``build(resolve(value, architecture))``; a graph of a
        graph. What is trained in it is trained in the supernet, and so are the modes of its layers those of the supernet's.
        The last paths of a graph are kept, so asking for one at every step costs nothing.

    Raises:
        ChoiceError: a label on the path that is not decided, or an option that does not exist.

    >>> from tsunagu.spec import choice, node
    >>> from tsunagu.tasks.supernet import build_supernet
    >>> net = build_supernet(choice(a=node("Linear", 2, 3), b=node("Linear", 2, 1)), seed=1)
    >>> single_path(net, {"choice": "b"})
    Linear(in_features=2, out_features=1, bias=True)
    """
    path: Any = _path(net, architecture)
    return path  # type: ignore[no-any-return]


def _path(net: nn.Module, architecture: Mapping[str, str]) -> nn.Module:
    if isinstance(net, Graph):
        key = architecture if isinstance(architecture, Architecture) else Architecture(architecture)
        return _kept_path(net, key)
    if isinstance(net, Switch):
        return _path(net.all[net.number(architecture)], architecture)
    if isinstance(net, Modulated):
        return net.view(_path(net.model, architecture))
    if isinstance(net, Chain):
        return nn.Sequential(*(_path(part, architecture) for part in net)).train(net.training)
    return net


# A graph of many tasks takes as long to put together as a tenth of a small training step. A path does not refer to its
# supergraph, so the entries go when that goes.
_PATHS: WeakKeyDictionary[Graph, dict[Architecture, Graph]] = WeakKeyDictionary()
_MOST_KEPT = 256


def _kept_path(net: Graph, architecture: Architecture) -> Graph:
    kept = _PATHS.setdefault(net, {})
    path = kept.get(architecture)
    if path is None:
        while len(kept) >= _MOST_KEPT:
            del kept[next(iter(kept))]
        path = kept[architecture] = _graph_of_path(net, architecture)
    return path


def _graph_of_path(net: Graph, architecture: Architecture) -> Graph:
    found = {
        name: path_of_task(net.models[name], wiring, architecture) for name, wiring in net.wiring.items()
    }
    models = {name: model for name, (model, _) in found.items()}
    wirings = {name: wiring for name, (_, wiring) in found.items()}
    return Graph(models, wirings, net.outputs, net.conditions)


def path_of_task(
    model: nn.Module, wiring: Wiring, architecture: Mapping[str, str]
) -> tuple[nn.Module, Wiring]:
    """The path of the model of one task, and how it reads the task's inputs."""
    while isinstance(model, Switch):
        number = model.number(architecture)
        assert model.wirings is not None
        wiring = model.wirings[number]
        model = model.all[number]
    return _path(model, architecture), wiring


def mixture(net: NetT, weights: Mapping[str, Tensor], *, sparse: bool = False, keep: bool = False) -> NetT:
    """The differentiable mixture: at each switch ``sum_k w_k o_k(x)``.

    A switch over several choices weighs an option by the product of its labels' weights; options mix what is left to
    choose inside them. An option of weight 0 is not run where its weight needs no gradient, so weights of one 1 and
    else 0 cost one path.

    Args:
        net: of :func:`build_supernet` or :func:`build_supergraph`.
        weights: ``[K]`` by label, in the order of the choice's options.
        sparse: do not run options of weight 0 even where their weight needs a gradient, as GDAS (arXiv:1910.04465) does:
            only the chosen option runs, and its output is multiplied by its own weight.
        keep: let :func:`own_outputs` see what each option of a model-level switch gave.

    Returns:
        A module of the supernet's parameters and buffers, differentiable by the weights; a graph of a graph.

    Raises:
        ChoiceError: a label without weights, or with another number of them; in ``forward``, options of different shapes.

    >>> import torch
    >>> from tsunagu.spec import choice, node
    >>> from tsunagu.tasks.supernet import build_supernet
    >>> net = build_supernet(choice(a=node("Identity"), b=node("ReLU")), seed=1)
    >>> mixture(net, {"choice": torch.tensor([0.25, 0.75])})(torch.tensor([-4.0, 4.0]))
    tensor([-1.,  4.])
    """
    mixed: Any = _mixed(net, weights, sparse, keep)
    return mixed  # type: ignore[no-any-return]


def own_outputs(mixed: nn.Module) -> dict[str, dict[Architecture, Tensor]]:
    """What each option of the switches at the top of the tasks' models gave in the last call of a mixture.

    Args:
        mixed: a graph of :func:`mixture` with ``keep``.

    Returns:
        For each task whose model is a switch, ``[E, ...]`` by the decisions that lead to the option; options that were
        not run are left out.
    """
    models = mixed.models.items() if isinstance(mixed, Graph) else [("", mixed)]
    return {name: dict(model.own) for name, model in models if isinstance(model, Mixture)}


@final
class Mixture(nn.Module):
    """The weighted sum of the options of a switch.

    Args:
        switch: whose options these are.
        options: by number, those that run, mixtures inside.
        weights: a scalar for each of them.
        keep: keep what each option gave.
    """

    def __init__(
        self, switch: Switch, options: Mapping[int, nn.Module], weights: Sequence[Tensor], *, keep: bool
    ) -> None:
        super().__init__()
        for number, option in options.items():
            self.add_module(str(number), option)
        self.own: dict[Architecture, Tensor] = {}
        self._title, self._keep = switch.title, keep
        wirings = switch.wirings or [None] * len(switch.all)
        self._parts = [
            (switch.decisions[number], option, weight, wirings[number])
            for (number, option), weight in zip(options.items(), weights, strict=True)
        ]

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        total: Tensor | None = None
        for decided, option, weight, wiring in self._parts:
            made = run_option(option, wiring, inputs, named)
            if self._keep:
                self.own[Architecture(decided)] = made
            if total is not None and total.shape != made.shape:
                raise ChoiceError(self._unequal(decided, total, made))
            total = weight * made if total is None else total + weight * made
        assert total is not None
        return total

    def _unequal(self, decided: Mapping[str, str], total: Tensor, made: Tensor) -> str:
        found = f"{self._title}: a mixture adds up its options, but {', '.join(decided.values())} gives "
        return f"{found}{list(made.shape)} and an option before it {list(total.shape)}"


def _mixed(net: nn.Module, weights: Mapping[str, Tensor], sparse: bool, keep: bool) -> nn.Module:
    if isinstance(net, Graph):
        models = {name: _mixed(model, weights, sparse, keep) for name, model in net.models.items()}
        return Graph(models, net.wiring, net.outputs, net.conditions)
    if isinstance(net, Switch):
        found = _weights(net, weights, sparse)
        options = {number: _mixed(net.all[number], weights, sparse, False) for number in found}
        return Mixture(net, options, list(found.values()), keep=keep)
    if isinstance(net, Modulated):
        return net.view(_mixed(net.model, weights, sparse, False))
    if isinstance(net, Chain):
        return nn.Sequential(*(_mixed(part, weights, sparse, False) for part in net)).train(net.training)
    return net


def _weights(switch: Switch, weights: Mapping[str, Tensor], sparse: bool) -> dict[int, Tensor]:
    """The weight of each option that runs, by number."""
    by_option: dict[tuple[str, str], Tensor] = {}
    unused: set[tuple[str, str]] = set()
    for label, names in switch.choices.items():
        own = _checked(label, names, weights)
        by_option |= {(label, name): weight for name, weight in zip(names, own.unbind(), strict=True)}
        # Looking at the numbers makes an accelerator wait, so it is done only where it can save an option.
        if sparse or not own.requires_grad:
            unused |= {(label, name) for name, value in zip(names, own.tolist(), strict=True) if value == 0.0}
    run = [number for number, decided in enumerate(switch.decisions) if unused.isdisjoint(decided.items())]
    factors = {n: [by_option[one] for one in switch.decisions[n].items()] for n in run or [0]}
    return {number: reduce(mul, own) for number, own in factors.items()}


def _checked(label: str, names: Sequence[str], weights: Mapping[str, Tensor]) -> Tensor:
    own = weights.get(label)
    if own is None or own.shape != (len(names),):
        found = "none" if own is None else f"shape {list(own.shape)}"
        msg = f"{label}: a mixture needs {len(names)} weights for {', '.join(names)}, found {found}"
        raise ChoiceError(msg)
    return own
