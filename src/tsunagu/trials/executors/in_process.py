"""Trials in this process, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, final

from tsunagu.trials.executors.executor import Answer, Executor, Job, answers, pieces

__all__ = ["InProcess"]

M = TypeVar("M")


@final
@dataclass(frozen=True, kw_only=True)
class InProcess(Executor):
    """Run trials here, one after the other.

    >>> InProcess().run(lambda group: enumerate(group), [["a"], ["b", "c"]], print)
    a a
    b b
    c c
    """

    @property
    def remote(self) -> bool:
        return False

    def run(
        self, job: Job[M], populations: Sequence[Sequence[M]], on_end: Callable[[M, Answer], None]
    ) -> None:
        for piece in pieces(populations, 1):
            for number, answer in answers(job, piece.members):
                on_end(piece.members[number], answer)
