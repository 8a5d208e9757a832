"""Decisions: which choices a value leaves open, how many ways there are, and the value after deciding.

An option's own choices are open only while that option is taken. Choices of one name are one decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar, final

from pydantic import BaseModel

from tsunagu.errors import ChoiceError, Mistake, did_you_mean
from tsunagu.spec.canonical import canonical
from tsunagu.spec.nodes import Choice, Node, Value, children, walk
from tsunagu.spec.parameters import Condition, Schedule

__all__ = [
    "Architecture",
    "Branches",
    "architectures",
    "branches",
    "check_choices",
    "choices",
    "labelled_choices",
    "resolve",
]

T = TypeVar("T")
Branches = tuple[tuple[str, Mapping[str, "Branches"]], ...]
"""The choices of a value in order, each with its label and, for each option, the choices that stand in it."""


@final
class Architecture(Mapping[str, str]):
    """One decision for each choice: option by label. Frozen and hashable.

    >>> Architecture({"tasks.calibrate.model": "cnn"})
    Architecture({'tasks.calibrate.model': 'cnn'})
    """

    __slots__ = ("_decisions",)

    def __init__(self, decisions: Mapping[str, str]) -> None:
        self._decisions = dict(decisions)

    def __getitem__(self, label: str) -> str:
        return self._decisions[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decisions)

    def __len__(self) -> int:
        return len(self._decisions)

    def __eq__(self, other: object) -> bool:
        # They are compared at every step of a search, and those of a Mapping are slow.
        if isinstance(other, Architecture):
            return self._decisions == other._decisions
        return Mapping.__eq__(self, other)

    def __hash__(self) -> int:
        return hash(frozenset(self._decisions.items()))

    def __repr__(self) -> str:
        return f"Architecture({self._decisions})"


def choices(value: Value, where: tuple[str, ...] = ()) -> dict[str, Choice]:
    """All choices of a value by label, those inside options included.

    Args:
        value: anything that a spec may hold.
        where: the place of the value, for a part of a larger one: labels of choices without a name start with it.

    Raises:
        ChoiceError: one name with two definitions, or two choices without a name under one path.

    >>> from tsunagu.spec import choice, node
    >>> list(choices({"model": choice(cnn=node("TauCNN", channels=choice(16, 32)), scale=node("ScaleFactor"))}))
    ['model', 'model.cnn.channels']
    """
    found: dict[str, Choice] = {}
    for label, open_choice in labelled_choices(value, where):
        if label in found and (clash := _clash(label, found[label], open_choice)):
            raise ChoiceError(clash)
        found.setdefault(label, open_choice)
    return found


def check_choices(value: Value) -> list[Mistake]:
    """What makes :func:`choices` fail, each with its place in the data.

    >>> from tsunagu.spec import choice
    >>> print(*check_choices({"a": choice(1, 2, name="w"), "b": choice(1, 3, name="w")}))
    b: w: one name, two definitions: options 1, 2 here and 1, 3 there; give one another name
    """
    places = [path for path, part in walk(value) if isinstance(part, Choice)]
    found: dict[str, Choice] = {}
    mistakes: list[Mistake] = []
    for path, (label, open_choice) in zip(places, labelled_choices(value), strict=True):
        if label in found and (clash := _clash(label, found[label], open_choice)):
            mistakes.append(Mistake(path, clash))
        found.setdefault(label, open_choice)
    return mistakes


def architectures(value: Value, where: tuple[str, ...] = ()) -> Iterator[Architecture]:
    """Every distinct architecture, each with the labels that are open in it; ``where`` as for :func:`choices`.

    >>> from tsunagu.spec import choice
    >>> [dict(a) for a in architectures({"lr": choice(0.1, 0.01)})]
    [{'lr': '0.1'}, {'lr': '0.01'}]
    """
    choices(value, where)
    yield from (Architecture(decided) for decided in _decide(value, {}, where))


def resolve(value: T, architecture: Mapping[str, str], where: tuple[str, ...] = ()) -> T:
    """The value after deciding: without choices; ``where`` as for :func:`choices`.

    Raises:
        ChoiceError: a label or an option that does not exist, or a choice that is left open.

    >>> from tsunagu.spec import choice
    >>> resolve({"lr": choice(0.1, 0.01)}, {"lr": "0.01"})
    {'lr': 0.01}
    """
    known = choices(value, where)
    for label in architecture:
        if label not in known:
            msg = f"there is no choice '{label}'{did_you_mean(label, known) or '; nothing is left to choose'}"
            raise ChoiceError(msg)
        _check_option(label, architecture[label], known[label])
    resolved: T = _resolve(value, architecture, where)
    return resolved


def labelled_choices(value: Value, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Choice]]:
    """Every place where a choice stands, with its label: a name comes as often as it is used."""
    if isinstance(value, Choice):
        yield label_at(value, path), value
        for option, part in value.options.items():
            yield from labelled_choices(part, (*path, option))
        return
    for step, part in children(value):
        yield from labelled_choices(part, _below(value, path, step))


def branches(value: Value, path: tuple[str, ...] = ()) -> Branches:
    """The choices of a value as a tree: what a search needs to know of it.

    >>> from tsunagu.spec import choice, node
    >>> branches({"model": choice(cnn=node("TauCNN", channels=choice(16, 32)), scale=node("ScaleFactor"))})
    (('model', {'cnn': (('model.cnn.channels', {'16': (), '32': ()}),), 'scale': ()}),)
    """
    if isinstance(value, Choice):
        inside = {option: branches(part, (*path, option)) for option, part in value.options.items()}
        return ((label_at(value, path), inside),)
    parts = (branches(part, _below(value, path, step)) for step, part in children(value))
    return tuple(branch for found in parts for branch in found)


def _clash(label: str, first: Choice, second: Choice) -> str | None:
    if first.name is None or second.name is None:
        return f"{label}: two choices stand under this label, not both with a name; give each its own"
    if canonical(first) != canonical(second):
        found = f"options {', '.join(first.options)} here and {', '.join(second.options)} there"
        return f"{label}: one name, two definitions: {found}; give one another name"
    return None


def _check_option(label: str, option: str, decided: Choice) -> None:
    if option not in decided.options:
        msg = f"{label}: there is no option '{option}'{did_you_mean(str(option), decided.options)}"
        raise ChoiceError(msg)


def label_at(value: Choice, path: tuple[str, ...]) -> str:
    """The label of a choice: its name, else the place where it stands."""
    return value.name or ".".join(path) or "choice"


def _below(value: Value, path: tuple[str, ...], step: str | int) -> tuple[str, ...]:
    inside = isinstance(value, Node | Condition | Schedule)
    return path if inside else (*path, str(step))


def _decide(value: Value, decided: dict[str, str], where: tuple[str, ...]) -> Iterator[dict[str, str]]:
    first = _first_open(value, decided, where)
    if first is None:
        yield decided
        return
    label, open_choice = first
    for option in open_choice.options:
        yield from _decide(value, decided | {label: option}, where)


def _first_open(value: Value, decided: Mapping[str, str], path: tuple[str, ...]) -> tuple[str, Choice] | None:
    if isinstance(value, Choice):
        label = label_at(value, path)
        if label not in decided:
            return label, value
        taken = decided[label]
        return _first_open(value.options[taken], decided, (*path, taken))
    for step, part in children(value):
        found = _first_open(part, decided, _below(value, path, step))
        if found is not None:
            return found
    return None


def _resolve(value: Value, architecture: Mapping[str, str], path: tuple[str, ...]) -> Value:
    if isinstance(value, Choice):
        return _take(value, architecture, path)
    if isinstance(value, BaseModel):
        changed = {
            str(step): _resolve(part, architecture, (*path, str(step))) for step, part in children(value)
        }
        return value.model_copy(update=changed)
    if isinstance(value, Node):
        return Node(value.key, _resolve(value.args, architecture, path))
    if isinstance(value, Condition | Schedule):
        return replace(value, args=_resolve(value.args, architecture, path))
    if isinstance(value, Mapping):
        return {name: _resolve(part, architecture, (*path, str(name))) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_resolve(part, architecture, (*path, str(i))) for i, part in enumerate(value)]
    return value


def _take(value: Choice, architecture: Mapping[str, str], path: tuple[str, ...]) -> Value:
    label = label_at(value, path)
    if label not in architecture:
        msg = f"{label}: not decided; choose one of {', '.join(value.options)}"
        raise ChoiceError(msg)
    option = architecture[label]
    return _resolve(value.options[option], architecture, (*path, option))
