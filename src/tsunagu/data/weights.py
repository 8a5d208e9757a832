"""Training weights where physics weights are negative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from tsunagu.data.source import Array
from tsunagu.data.stored import SUMMED, in_pieces

__all__ = ["Policy", "Preserved", "count_negative", "policy_note", "preserved", "weigh"]

_MEANING = {
    "keep": "the training uses them with their sign",
    "absolute": "the training uses their size",
    "drop": "the training leaves these events out (weight 0)",
    "absolute_preserving": "the training uses their size, and the sum of each class is that with the signs",
}


@final
@dataclass(frozen=True, kw_only=True)
class Policy:
    """What becomes of negative training weights; physics weights, in metrics and plots, keep their signs.

    Args:
        kind: ``keep``; ``absolute``, their size; ``drop``, 0; or ``absolute_preserving``, their size times
            ``sum(w) / sum(|w|)`` of the class, so that signal and background stand to each other as with the signs.
        classes: the column of classes for the last one.
    """

    kind: Literal["keep", "absolute", "drop", "absolute_preserving"] = "absolute"
    classes: str = "label"

    @property
    def needs_classes(self) -> bool:
        """Whether the column of classes is looked at."""
        return self.kind == "absolute_preserving"


Preserved = dict[float, tuple[float, float]]
"""For each class, ``sum(w)`` and ``sum(|w|)``."""


def preserved(weight: Array, classes: Array) -> Preserved:
    """The sums of each class.

    >>> preserved(np.array([2.0, -1.0, 3.0]), np.array([1, 1, 0]))
    {0.0: (3.0, 3.0), 1.0: (1.0, 3.0)}
    """
    sums: Preserved = {}
    for some, own in zip(in_pieces(weight, SUMMED), in_pieces(classes, SUMMED), strict=True):
        for label in np.unique(own).tolist():
            part = some[own == label]
            before = sums.get(float(label), (0.0, 0.0))
            sums[float(label)] = (before[0] + float(part.sum()), before[1] + float(np.abs(part).sum()))
    return dict(sorted(sums.items()))


def weigh(weight: Array, classes: Array, sums: Preserved) -> Iterator[Array]:
    """The sizes of the weights, scaled in each class, piece by piece.

    >>> weight, classes = np.array([2.0, -1.0, 3.0]), np.array([1, 1, 0])
    >>> next(weigh(weight, classes, preserved(weight, classes))).round(3)
    array([0.667, 0.333, 3.   ])
    """
    for some, own in zip(in_pieces(weight), in_pieces(classes), strict=True):
        scale = np.zeros(len(some))
        for label, (signed, size) in sums.items():
            scale[own == label] = signed / size if size else 0.0
        yield np.abs(some) * scale


def count_negative(weight: Array) -> int:
    """How many weights are negative.

    >>> count_negative(np.array([1.0, -1.0]))
    1
    """
    return sum(int((piece < 0).sum()) for piece in in_pieces(weight))


def policy_note(policy: Policy, negative: int, events: int) -> str:
    """The sentence about a policy and how many events it is about."""
    found = f"{negative:,} of {events:,} events have a negative training weight"
    return f"negative_weights: {policy.kind}: {found}; {_MEANING[policy.kind]}; metrics and plots use the physics weight"
