"""Trials on a Dask cluster: of this machine, of a scheduler that is there already, of Slurm or HTCondor.

Dask is imported only when a trial is run with it.
"""

from __future__ import annotations

import threading
from asyncio import CancelledError
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, final

from tsunagu.errors import ResumeError
from tsunagu.machine import usable_cores
from tsunagu.train import for_small_steps
from tsunagu.trials.executors.clusters import connected
from tsunagu.trials.executors.executor import (
    DEATHS,
    MOST,
    Answer,
    Executor,
    Failure,
    Job,
    Piece,
    answers,
    pieces,
)

__all__ = ["Dask"]

M = TypeVar("M")

# torch's default generator, which a module's first weights are drawn from, belongs to a whole process.
_one_at_a_time = threading.Lock()


@final
@dataclass(frozen=True, kw_only=True)
class Dask(Executor):
    """Run trials on a Dask cluster.

    Args:
        cluster: ``local`` for worker processes of this machine, the address of a scheduler, ``slurm`` or ``htcondor``.
        workers: how many to start; on this machine as many as there are usable cores by default.
        options: of the batch system, such as ``{"queue": "short"}``.
        most: trials in a group that is trained in step; with 1 each is trained by itself.
    """

    cluster: str = "local"
    workers: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    most: int = MOST

    @property
    def remote(self) -> bool:
        return True

    def run(
        self, job: Job[M], populations: Sequence[Sequence[M]], on_end: Callable[[M, Answer], None]
    ) -> None:
        members = sum(len(population) for population in populations)
        wanted = min(self.workers or usable_cores(), members)
        with connected(self.cluster, wanted, self.options) as client:
            there = len(client.scheduler_info(n_workers=-1)["workers"]) if "://" in self.cluster else wanted
            _follow(client, job, pieces(populations, max(1, there), self.most), on_end)


def _follow(client: Any, job: Job[M], todo: list[Piece[M]], on_end: Callable[[M, Answer], None]) -> None:
    from distributed import as_completed

    def submit(piece: Piece[M]) -> Any:
        return client.submit(_run, job, list(piece.members), pure=False)

    running = {submit(piece): piece for piece in todo}
    ended = as_completed(running)
    for future in ended:
        for piece in _settle(client, future, running.pop(future), on_end):
            again = submit(piece)
            running[again] = piece
            ended.add(again)


def _settle(client: Any, future: Any, piece: Piece[M], on_end: Callable[[M, Answer], None]) -> list[Piece[M]]:
    """Report what came of a group; returns what has to be run again."""
    if future.status == "finished":
        try:
            for number, answer in future.result():
                if piece.is_news(number):
                    on_end(piece.members[number], answer)
        except CancelledError:
            return _after_loss(client, piece, on_end)
        return []
    if future.status == "error":
        return _after_error(future.exception(), piece, on_end)
    return _after_loss(client, piece, on_end)


def _after_error(
    error: BaseException, piece: Piece[M], on_end: Callable[[M, Answer], None]
) -> list[Piece[M]]:
    from distributed import KilledWorker

    if not isinstance(error, KilledWorker):
        _fail(piece, Failure.of(error), on_end)
        return []
    # Dask has tried it as often as it allows by then.
    again = piece.after_deaths(DEATHS)
    if not again:
        _fail(piece, Failure(category="WorkerDied", reason=_DIED, again=False), on_end)
    return again


def _after_loss(client: Any, piece: Piece[M], on_end: Callable[[M, Answer], None]) -> list[Piece[M]]:
    """Dask has dropped a group, or its answer went down with a worker; what it had finished is in the store."""
    if client.status != "running":
        msg = "the Dask scheduler went away; nothing finished is lost; run the same command again to continue"
        raise ResumeError(msg)
    again = piece.after_deaths(1)
    if not again:
        _fail(piece, Failure(category="WorkerDied", reason=_DIED), on_end)
    return again


def _fail(piece: Piece[M], failure: Failure, on_end: Callable[[M, Answer], None]) -> None:
    for member in piece.rest():
        on_end(member, failure)


_DIED = (
    "one worker after the other died with it, perhaps for want of memory or time; ask for more of both, or run "
    "with fewer workers"
)


def _run(job: Job[M], members: Sequence[M]) -> list[tuple[int, Answer]]:
    """What a worker does with a group."""
    with _one_at_a_time:
        # Of the thread that Dask runs it in.
        for_small_steps()
        return list(answers(job, members))
