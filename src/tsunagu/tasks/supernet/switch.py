"""The places of a supernet where something is left to choose, and how decisions walk through them.

A supernet has a :class:`Switch`, a :class:`Chain` that holds one, :class:`Modulated` around a chain, and leaves, which are
what :func:`tsunagu.tasks.build` makes. Leaves are not looked into.

Legend: ``K`` options of a switch, ``E`` events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

from torch import nn

from tsunagu.errors import ChoiceError, did_you_mean
from tsunagu.tasks.graph import Graph, Wiring, call
from tsunagu.tasks.supernet.modulated import Modulated

__all__ = [
    "Chain",
    "Switch",
    "decisions",
    "inside",
    "labels_of",
    "leaves_of",
    "reached",
    "run_option",
    "spelled",
    "take",
]

Branches = tuple[str, dict[str, Any]]
"""A label, and for each of its options the branches of the next label, or the number of the option of the switch."""

_MOST_NAMED = 6


@final
class Switch(nn.Module):
    """Options of which an architecture takes one.

    Called, it runs the option that :func:`take` took.

    Args:
        options: the K modules.
        decisions: for each, the decisions that lead to it: one label for a choice of modules, one for each choice that
            its arguments mention otherwise.
        choices: the options of each label, in the order in which mixture weights count them.

    Attributes:
        wirings: where the switch is the model of a task, how each option reads the task's inputs; the switch is then
            called with all of them by name.

    Raises:
        ChoiceError: called before an option was taken.

    >>> switch = Switch([nn.ReLU(), nn.Tanh()], [{"act": "relu"}, {"act": "tanh"}], {"act": ("relu", "tanh")})
    >>> switch.number({"act": "tanh"})
    1
    """

    def __init__(
        self,
        options: Sequence[nn.Module],
        decisions: Sequence[Mapping[str, str]],
        choices: Mapping[str, Sequence[str]],
    ) -> None:
        super().__init__()
        self.options = nn.ModuleList(options)
        self.decisions = tuple(dict(decided) for decided in decisions)
        self.choices = {label: tuple(names) for label, names in choices.items()}
        self.wirings: tuple[Wiring, ...] | None = None
        # Looking an option up in a ModuleList costs more than small models would forgive.
        self.all = list(options)
        self._branches = _branch(self.decisions, range(len(options)), 0)
        self._taken: int | None = None

    def forward(self, *inputs: Any, **named: Any) -> Any:
        if self._taken is None:
            msg = f"{self.title}: nothing is taken; use take, single_path or mixture"
            raise ChoiceError(msg)
        wiring = None if self.wirings is None else self.wirings[self._taken]
        return run_option(self.all[self._taken], wiring, inputs, named)

    def number(self, architecture: Mapping[str, str]) -> int:
        """Which option an architecture takes, from 0 to K - 1; decisions of other switches are passed over.

        Raises:
            ChoiceError: a label that is not decided, or an option that does not exist.
        """
        at: Any = self._branches
        while not isinstance(at, int):
            label, branches = at
            option = architecture.get(label)
            if option not in branches:
                raise ChoiceError(_undecided(label, option, branches))
            at = branches[option]
        return at

    def take(self, number: int) -> None:
        """Run this option from now on."""
        self._taken = number

    @property
    def title(self) -> str:
        """The labels of the choices that are made here."""
        return " x ".join(self.choices)

    def extra_repr(self) -> str:
        return self.title


@final
class Chain(nn.Sequential):
    """Modules in sequence, at least one of which holds a :class:`Switch`."""


def run_option(
    option: nn.Module, wiring: Wiring | None, inputs: tuple[Any, ...], named: Mapping[str, Any]
) -> Any:
    """One option on what its switch was called with."""
    if wiring is None:
        return option(*inputs, **named)
    return call(option, *wiring, named)


def take(net: nn.Module, architecture: Mapping[str, str]) -> None:
    """Let a supernet run one path, until another one is taken; a few microseconds for each switch on the path.

    Args:
        net: of :func:`build_supernet` or :func:`build_supergraph`; its switches are set in place.
        architecture: option by label; labels that the net does not have are passed over.

    Raises:
        ChoiceError: a label on the path that is not decided, or an option that does not exist.

    >>> from tsunagu.spec import choice, node
    >>> from tsunagu.tasks.supernet import build_supernet
    >>> net = build_supernet([node("Linear", 2, 2), choice(a=node("ReLU"), b=node("Tanh"), name="act")], seed=1)
    >>> take(net, {"act": "b"})
    """
    if isinstance(net, Switch):
        number = net.number(architecture)
        net.take(number)
        take(net.all[number], architecture)
        return
    for part in inside(net):
        take(part, architecture)


def inside(net: nn.Module) -> Sequence[nn.Module]:
    """The parts of a net that all its paths run and that may hold switches; none of a leaf."""
    if isinstance(net, Graph):
        return list(net.models.values())
    if isinstance(net, Modulated):
        return [net.model]
    return list(net) if isinstance(net, Chain) else ()


def decisions(net: nn.Module, decided: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """All ways through a net that agree with what is decided, each with that and with its own decisions.

    >>> from tsunagu.spec import choice, node
    >>> from tsunagu.tasks.supernet import build_supernet
    >>> net = build_supernet([choice(node("ReLU"), node("Tanh"), name=name) for name in "ab"], seed=1)
    >>> list(decisions(net, {"a": "Tanh"}))
    [{'a': 'Tanh', 'b': 'ReLU'}, {'a': 'Tanh', 'b': 'Tanh'}]
    """
    if isinstance(net, Switch):
        for option, own in zip(net.all, net.decisions, strict=True):
            if all(decided.get(label, taken) == taken for label, taken in own.items()):
                yield from decisions(option, {**decided, **own})
        return
    yield from _along(inside(net), decided)


def leaves_of(net: nn.Module, path: str = "") -> dict[str, nn.Module]:
    """The leaves of a net, which paths hold whole or not at all, by their path as a module.

    >>> from tsunagu.spec import choice, node
    >>> from tsunagu.tasks.supernet import build_supernet
    >>> list(leaves_of(build_supernet([node("Linear", 2, 2), choice(a=node("ReLU"), b=node("Tanh"), name="act")], seed=1)))
    ['0', '1.options.0', '1.options.1']
    """
    if isinstance(net, Switch):
        parts = {f"options.{number}": option for number, option in enumerate(net.all)}
    elif isinstance(net, Graph):
        parts = {f"models.{name}": model for name, model in net.models.items()}
    elif isinstance(net, Modulated):
        # Trunk and heads are leaves too: a path has the trunk, and of the heads its own.
        heads = {f"heads.{number}": head for number, head in enumerate(net.heads)}
        parts = {name: part for name, part in net.named_children() if name != "heads"} | heads
    elif isinstance(net, Chain):
        parts = dict(net.named_children())
    else:
        return {path: net}
    start = f"{path}." if path else ""
    return {
        name: leaf for step, part in parts.items() for name, leaf in leaves_of(part, start + step).items()
    }


def reached(net: nn.Module, architecture: Mapping[str, str]) -> dict[str, str]:
    """The decisions of an architecture that matter in a net.

    Raises:
        ChoiceError: one of them is missing.
    """
    if isinstance(net, Switch):
        number = net.number(architecture)
        return {**net.decisions[number], **reached(net.all[number], architecture)}
    return {label: option for part in inside(net) for label, option in reached(part, architecture).items()}


def spelled(decided: Mapping[str, str]) -> str:
    """Decisions as a message names them, of many the last.

    >>> spelled({"a": "8", "b": "ReLU"})
    'a = 8, b = ReLU'
    """
    words = [f"{label} = {option}" for label, option in decided.items()]
    return ", ".join(words if len(words) <= _MOST_NAMED else ["...", *words[-_MOST_NAMED:]])


def labels_of(net: nn.Module) -> frozenset[str]:
    """The labels of all choices in a net."""
    if isinstance(net, Switch):
        return frozenset(net.choices).union(*map(labels_of, net.all))
    return frozenset[str]().union(*map(labels_of, inside(net)))


def _along(parts: Sequence[nn.Module], decided: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    if not parts:
        yield decided
        return
    for own in decisions(parts[0], decided):
        yield from _along(parts[1:], own)


def _branch(decisions: Sequence[Mapping[str, str]], numbers: Sequence[int], depth: int) -> Branches | int:
    first = decisions[numbers[0]]
    if depth == len(first):
        return numbers[0]
    label = list(first)[depth]
    of_option: dict[str, list[int]] = {}
    for number in numbers:
        of_option.setdefault(decisions[number][label], []).append(number)
    return label, {option: _branch(decisions, own, depth + 1) for option, own in of_option.items()}


def _undecided(label: str, option: str | None, branches: Mapping[str, Any]) -> str:
    if option is None:
        return f"{label}: not decided; choose one of {', '.join(branches)}"
    return f"{label}: there is no option '{option}'{did_you_mean(str(option), branches)}"
