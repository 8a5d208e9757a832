"""What is searched: the choices of a value, each open only while the option it stands in is taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np

from tsunagu.errors import ChoiceError, did_you_mean
from tsunagu.spec import Architecture, Branches, Value, architectures, branches, choices, count

__all__ = ["Decide", "Space"]

Decide = Callable[[str, tuple[str, ...]], str]
"""An option for a label, given all of its options."""


@final
@dataclass(frozen=True)
class Space:
    """All architectures of a value.

    Choices of one name are one label. A choice inside an option is open only while that option is taken, and an
    architecture holds the open labels, no others.

    Args:
        value: any part of a spec: a model, a pipeline, a whole study.

    Raises:
        ChoiceError: one name with two definitions, or nothing is left to choose.

    >>> from tsunagu.spec import choice, node
    >>> space = Space({"model": choice(cnn=node("TauCNN", channels=choice(16, 32)), scale=node("ScaleFactor"))})
    >>> space.options
    {'model': ('cnn', 'scale'), 'model.cnn.channels': ('16', '32')}
    >>> space.count, [dict(architecture) for architecture in space.all()][-1]
    (3, {'model': 'scale'})
    """

    value: Value = field(repr=False)
    options: Mapping[str, tuple[str, ...]] = field(init=False)
    branches: Branches = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = {label: tuple(decided.options) for label, decided in choices(self.value).items()}
        if not found:
            msg = "nothing is left to choose here, so there is nothing to search"
            raise ChoiceError(msg)
        object.__setattr__(self, "options", found)
        object.__setattr__(self, "branches", branches(self.value))

    @cached_property
    def count(self) -> int:
        """The number of architectures, without listing them."""
        return count(self.value)

    def all(self) -> Iterator[Architecture]:
        """Every architecture once, in the order of the spec."""
        return architectures(self.value)

    def walk(self, decide: Decide) -> Architecture:
        """Decide the open choices one after the other, outer before inner.

        >>> from tsunagu.spec import choice
        >>> Space({"lr": choice(0.1, 0.01)}).walk(lambda label, options: options[-1])
        Architecture({'lr': '0.01'})
        """
        decided: dict[str, str] = {}
        _visit(self.branches, decide, decided)
        return Architecture(decided)

    def draw(
        self, generator: np.random.Generator, probabilities: Mapping[str, Sequence[float]] | None = None
    ) -> Architecture:
        """Draw an option for each open choice: uniformly, or with the probabilities of its label.

        Where choices are nested this is not uniform over architectures: an option with many choices inside is as
        likely as one without.

        >>> from tsunagu.spec import choice
        >>> space = Space({"lr": choice(0.1, 0.01), "depth": choice(2, 3)})
        >>> dict(space.draw(np.random.default_rng(1), {"lr": [0.0, 1.0], "depth": [1.0, 0.0]}))
        {'lr': '0.01', 'depth': '2'}
        """

        def decide(label: str, options: tuple[str, ...]) -> str:
            return options[
                _index(generator, len(options), None if probabilities is None else probabilities[label])
            ]

        return self.walk(decide)

    def draw_new(
        self, number: int, generator: np.random.Generator, seen: Collection[Architecture]
    ) -> tuple[Architecture, ...]:
        """So many architectures that are not among those seen, nor twice among each other; fewer only at the end.

        >>> from tsunagu.spec import choice
        >>> len(Space({"lr": choice(0.1, 0.01, 0.001)}).draw_new(9, np.random.default_rng(1), ()))
        3
        """
        known, new = set(seen), list[Architecture]()
        while len(new) < min(number, self.count - len(seen)):
            drawn = self._draw_unlike(known, generator)
            known.add(drawn)
            new.append(drawn)
        return tuple(new)

    def mutate(
        self, parent: Architecture, probability: float, generator: np.random.Generator
    ) -> Architecture:
        """Each decision drawn again with a probability; what that opens is drawn, what it closes is dropped.

        >>> from tsunagu.spec import choice
        >>> space = Space({"lr": choice(0.1, 0.01), "depth": choice(2, 3)})
        >>> parent = next(space.all())
        >>> space.mutate(parent, 0.0, np.random.default_rng(1)) == parent
        True
        """

        def decide(label: str, options: tuple[str, ...]) -> str:
            again = label not in parent or generator.random() < probability
            return options[_index(generator, len(options))] if again else parent[label]

        return self.walk(decide)

    def cross(self, one: Architecture, other: Architecture, generator: np.random.Generator) -> Architecture:
        """Each decision from one of two parents by the toss of a coin; from the one that has it where one has.

        >>> from tsunagu.spec import choice
        >>> space = Space({"lr": choice(0.1, 0.01), "depth": choice(2, 3)})
        >>> parents = [a for a in space.all() if a["lr"] == "0.1"]
        >>> space.cross(*parents, np.random.default_rng(1))["lr"]
        '0.1'
        """

        def decide(label: str, options: tuple[str, ...]) -> str:
            have = [parent[label] for parent in (one, other) if label in parent] or options
            return have[_index(generator, len(have))]

        return self.walk(decide)

    def check(self, architecture: Mapping[str, str]) -> None:
        """Nothing, where every open choice is decided and no other.

        Raises:
            ChoiceError: what is wrong, with the label, its options and the nearest of them.

        >>> from tsunagu.spec import choice
        >>> Space({"lr": choice(0.1, 0.01)}).check({"lr": "0.02"})
        Traceback (most recent call last):
        tsunagu.errors.ChoiceError: lr: there is no option '0.02' (did you mean '0.01'?)
        """

        def decide(label: str, options: tuple[str, ...]) -> str:
            option = architecture.get(label)
            if option is None:
                msg = f"{label}: not decided; choose one of {', '.join(options)}"
                raise ChoiceError(msg)
            if option not in options:
                msg = f"{label}: there is no option '{option}'{did_you_mean(str(option), options)}"
                raise ChoiceError(msg)
            return option

        closed = sorted(architecture.keys() - self.walk(decide).keys())
        if closed:
            unknown = f"there is no such choice{did_you_mean(closed[0], self.options)}"
            msg = f"{closed[0]}: {'this choice is not open here' if closed[0] in self.options else unknown}"
            raise ChoiceError(msg)

    def _draw_unlike(self, known: set[Architecture], generator: np.random.Generator) -> Architecture:
        for _ in range(100):
            drawn = self.draw(generator)
            if drawn not in known:
                return drawn
        # Nearly all are known, so listing what is left costs no more than what was kept.
        left = [architecture for architecture in self.all() if architecture not in known]
        return left[_index(generator, len(left))]


def _visit(open_here: Branches, decide: Decide, decided: dict[str, str]) -> None:
    for label, inside in open_here:
        if label not in decided:
            decided[label] = decide(label, tuple(inside))
        _visit(inside[decided[label]], decide, decided)


def _index(generator: np.random.Generator, number: int, probabilities: Sequence[float] | None = None) -> int:
    if probabilities is None:
        return int(generator.integers(number))
    drawn, passed, last = generator.random(), 0.0, 0
    for index, probability in enumerate(probabilities[:number]):
        passed += probability
        if drawn < passed:
            return index
        last = index if probability > 0.0 else last
    return last  # the sum is rounded below 1
