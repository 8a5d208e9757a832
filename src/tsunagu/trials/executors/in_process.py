"""Trials in this process, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, final

from tsunagu.trials.executors.executor import MOST, Answer, Executor, Job, answers, pieces

__all__ = ["InProcess"]

M = TypeVar("M")


@final
@dataclass(frozen=True, kw_only=True)
class InProcess(Executor):
    """Run trials here, one group after the other.

    Args:
        most: trials in a group that is trained in step; with 1 each is trained by itself.

    >>> InProcess().run(lambda group: enumerate(group), [["a"], ["b", "c"]], print)
    a a
    b b
    c c
    """

    most: int = MOST

    @property
    def remote(self) -> bool:
        return False

    def run(
        self, job: Job[M], populations: Sequence[Sequence[M]], on_end: Callable[[M, Answer], None]
    ) -> None:
        for piece in pieces(populations, 1, self.most):
            for number, answer in answers(job, piece.members):
                on_end(piece.members[number], answer)
