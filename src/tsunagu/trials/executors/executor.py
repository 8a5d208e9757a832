"""What an executor is, and what all of them do alike: share out, count deaths, turn errors into failures."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, TypeVar, final

from tsunagu import errors
from tsunagu.errors import TsunaguError

__all__ = ["DEATHS", "MOST", "Answer", "Executor", "Failure", "Job", "Piece", "answers", "pieces", "split"]

DEATHS = 3
"""So many workers may die with a group of trials before it counts as the cause."""

MOST = 32
"""Trials in a group at most, by default: beyond it a step gains little, and an interruption costs more."""

M = TypeVar("M")


@final
@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a trial could not be finished, as text, since errors of other packages cannot always travel.

    Args:
        category: the class of the error.
        reason: for the user, with what can be done about it.
        again: whether another attempt may end better.

    >>> Failure.of(ZeroDivisionError("division by zero"))
    Failure(category='ZeroDivisionError', reason='ZeroDivisionError: division by zero', again=True)
    """

    category: str
    reason: str
    again: bool = True

    @staticmethod
    def of(error: BaseException) -> Failure:
        """The failure that an error means: our own say all that is needed, others in one line with their class."""
        category = type(error).__name__
        if isinstance(error, TsunaguError):
            return Failure(category=category, reason=str(error))
        first = str(error).strip().partition("\n")[0]
        return Failure(category=category, reason=f"{category}: {first}" if first else category)

    def error(self) -> TsunaguError:
        """As an error of the same category, or the one that all of ours are."""
        known = {cls.__name__: cls for cls in (errors.ChoiceError, errors.DataError, errors.ResumeError)}
        return known.get(self.category, TsunaguError)(self.reason)


Answer = str | Failure
"""What comes back of a trial: the digest under which its result is in the store, or why there is none."""
Job = Callable[[Sequence[M]], Iterable[tuple[int, Answer]]]
"""Runs a group of trials, and says of each, by its place in the group, how it ended as soon as it did."""


class Executor(ABC):
    """Where trials run. What travels to a worker is small and what comes back smaller: results are files."""

    @property
    @abstractmethod
    def remote(self) -> bool:
        """Whether jobs run in other processes, so that they must be able to travel there."""

    @abstractmethod
    def run(
        self, job: Job[M], populations: Sequence[Sequence[M]], on_end: Callable[[M, Answer], None]
    ) -> None:
        """Run every trial once, and return when all have ended, well or not.

        Args:
            job: what to do with a group of trials; for a remote executor it can be pickled, as can the trials.
            populations: trials that may be trained together; each is split into as many groups as there are workers, or a
                multiple of that where groups would be larger than the executor allows.
            on_end: called in this process for each trial as it ends, in whatever order they do.

        Raises:
            TsunaguError: there are no workers to be had.
        """


def split(members: Sequence[M], groups: int) -> list[Sequence[M]]:
    """A population in so many groups, as equal as can be and none of them empty.

    >>> split([1, 2, 3, 4, 5], 2)
    [[1, 2, 3], [4, 5]]
    >>> split([1], 2)
    [[1]]
    """
    count = min(groups, len(members))
    size, more = divmod(len(members), max(1, count))
    ends = [0]
    for number in range(count):
        ends.append(ends[-1] + size + (number < more))
    return [members[begin:end] for begin, end in pairwise(ends)]


@final
@dataclass
class Piece(Generic[M]):
    """A group of trials on its way: what has been answered, and how many workers died with it.

    It goes to the next worker whole, with those that are finished, since the checkpoint of a population is that of all
    its members; what is finished is found in the store.

    >>> piece = Piece(["a", "b", "c"])
    >>> piece.is_news(1), piece.is_news(1)
    (True, False)
    >>> piece.after_deaths(1)
    [Piece(members=['a', 'b', 'c'], deaths=1, answered={1})]
    >>> [single.members for single in piece.after_deaths(DEATHS)]
    [['a'], ['c']]
    >>> Piece(["a"]).after_deaths(DEATHS)
    []
    """

    members: Sequence[M]
    deaths: int = 0
    answered: set[int] = field(default_factory=set)

    def is_news(self, number: int) -> bool:
        """Whether an answer on this member is the first; it is noted."""
        new = number not in self.answered
        self.answered.add(number)
        return new

    def rest(self) -> list[M]:
        """The members that have no answer yet."""
        return [member for number, member in enumerate(self.members) if number not in self.answered]

    def after_deaths(self, more: int) -> list[Piece[M]]:
        """What is still to be run when workers died: all together, or one by one to find the cause, or nothing."""
        rest, deaths = self.rest(), self.deaths + more
        if rest and deaths < DEATHS:
            return [Piece(self.members, deaths, self.answered)]
        return [Piece([member]) for member in rest] if len(self.members) > 1 else []


def pieces(populations: Sequence[Sequence[M]], workers: int, most: int = MOST) -> list[Piece[M]]:
    """All populations, each split so that every worker has as many groups, of ``most`` members at most.

    >>> [len(piece.members) for piece in pieces([range(36)], 1)], [len(piece.members) for piece in pieces([range(36)], 2)]
    ([18, 18], [18, 18])
    """
    return [
        Piece(group)
        for members in populations
        for group in split(members, workers * math.ceil(len(members) / (workers * most)))
    ]


def answers(job: Job[M], group: Sequence[M]) -> Iterator[tuple[int, Answer]]:
    """What a job says; an error that leaves it is the failure of all trials that it has not yet spoken of."""
    silent = dict.fromkeys(range(len(group)))
    try:
        for number, answer in job(group):
            silent.pop(number, None)
            yield number, answer
    except Exception as error:  # noqa: BLE001 - whatever a user's own code raises must cost no other trial
        yield from ((number, Failure.of(error)) for number in silent)
