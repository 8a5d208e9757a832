"""The errors a user can meet: a handful of classes, each a category that the reader can act on.

A message says what is wrong, where, what was found, and the nearest valid alternative. Checks that run before a
training collect every :class:`Mistake` first and raise once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["ChoiceError", "DataError", "Mistake", "ResumeError", "SpecError", "TsunaguError", "did_you_mean"]

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """One mistake in a specification.

    Args:
        path: where in the specification, such as ``("train", "epochs")``.
        message: what was found there and what would be right.
        where: ``file:line:column`` once the document that was read is known, else empty.

    >>> print(Mistake(("train", "epochs"), "expected a whole number, found 'five'", "study.yaml:7:11"))
    study.yaml:7:11: train.epochs: expected a whole number, found 'five'
    """

    path: Path
    message: str
    where: str = ""

    def __str__(self) -> str:
        dotted = ".".join(str(part) for part in self.path)
        return ": ".join(part for part in (self.where, dotted, self.message) if part)


class TsunaguError(Exception):
    """Everything that a user's input can make go wrong; each subclass is a category."""


class SpecError(TsunaguError):
    """What was declared cannot be meant: all mistakes of the specification at once.

    >>> error = SpecError([Mistake(("metric",), "unknown metric 'acu'"), Mistake(("seeds",), "must be positive")])
    >>> print(error)
    metric: unknown metric 'acu'
    seeds: must be positive
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class DataError(TsunaguError):
    """A file or a column is not what it should be; the message names both."""


class ChoiceError(TsunaguError):
    """A choice cannot be made here; the message names its label and its options."""


class ResumeError(TsunaguError):
    """A stored file cannot be used to continue, or not be written; the message names the path and the remedy."""


def did_you_mean(word: str, valid: Iterable[str], most: int = 8) -> str:
    """The nearest valid word, or else the first few of all, as the end of a sentence.

    Args:
        word: as it was written.
        valid: what would have been right.
        most: how many words to list where none is near; 0 for none.

    >>> did_you_mean("wieght", ["weight", "label"])
    " (did you mean 'weight'?)"
    >>> did_you_mean("xyz", ["weight", "label"])
    ' (valid: label, weight)'
    """
    names = sorted(set(valid))
    spelled = {name.lower(): name for name in reversed(names)}
    near = difflib.get_close_matches(word.lower(), spelled, n=5, cutoff=0.6)
    if near:
        return f" (did you mean '{spelled[max(near, key=lambda name: _nearness(word.lower(), name))]}'?)"
    more = "" if len(names) <= most else ", ..."
    return f" (valid: {', '.join(names[:most])}{more})" if names and most else ""


def _nearness(word: str, name: str) -> float:
    # Most slips keep the length: letters swapped, replaced, or in the wrong case.
    return difflib.SequenceMatcher(None, word, name).ratio() - 0.05 * abs(len(word) - len(name))
