"""Trials in worker processes of this machine, one thread each.

A worker that is killed is replaced, and its trials go to the next free one, which continues from their checkpoints.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar, final

from tsunagu.errors import TsunaguError
from tsunagu.machine import ONE_THREAD, begin_worker, environment, usable_cores, without_interrupts
from tsunagu.train import for_small_steps
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

__all__ = ["Processes"]

READY, OVER = "ready", "over"
GRACE = 5.0
"""Seconds that a worker has to end by itself."""

M = TypeVar("M")


@final
@dataclass(frozen=True, kw_only=True)
class Processes(Executor):
    """Run trials in worker processes.

    A script that uses it must do so under ``if __name__ == "__main__":``, because each worker imports the script.

    Args:
        workers: how many; as many as there are usable cores by default.
        most: trials in a group that is trained in step; with 1 each is trained by itself.
    """

    workers: int | None = None
    most: int = MOST

    @property
    def remote(self) -> bool:
        return True

    def run(
        self, job: Job[M], populations: Sequence[Sequence[M]], on_end: Callable[[M, Answer], None]
    ) -> None:
        count = self.workers or usable_cores()
        todo = deque(pieces(populations, count, self.most))
        with _staff(job, min(count, len(todo)), on_end) as staff:
            while staff.hand_out(todo):
                todo.extendleft(reversed(staff.listen()))


@dataclass
class _Worker(Generic[M]):
    process: SpawnProcess
    pipe: Connection
    ready: bool = False
    piece: Piece[M] | None = None


@dataclass
class _Staff(Generic[M]):
    """The workers, and what each of them is at."""

    job: Job[M]
    on_end: Callable[[M, Answer], None]
    workers: list[_Worker[M]] = field(default_factory=list)
    stillborn: int = 0

    def hire(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self.job), daemon=True)
        # Threads are settled before torch is imported, which is while the process starts.
        with without_interrupts(), environment(ONE_THREAD), theirs:
            process.start()
        self.workers.append(_Worker(process, ours))

    def hand_out(self, todo: deque[Piece[M]]) -> bool:
        """Give work to all who have none; whether anybody is at work then."""
        for worker in self.workers:
            if worker.piece is None and todo:
                worker.piece = todo.popleft()
                # Of one that has died meanwhile the next look at its pipe tells.
                with suppress(OSError):
                    worker.pipe.send(list(worker.piece.members))
        return any(worker.piece is not None for worker in self.workers)

    def listen(self) -> list[Piece[M]]:
        """Wait for news of somebody at work; returns what has to be run again."""
        busy = {worker.pipe: worker for worker in self.workers if worker.piece is not None}
        again: list[Piece[M]] = []
        for pipe in wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            try:
                self._hear(worker, worker.pipe.recv())
            except (EOFError, OSError):
                again += self._replace(worker)
        return again

    def _hear(self, worker: _Worker[M], news: Any) -> None:
        assert worker.piece is not None
        if news == READY:
            worker.ready, self.stillborn = True, 0
        elif news == OVER:
            worker.piece = None
        else:
            number, answer = news
            if worker.piece.is_news(number):
                self.on_end(worker.piece.members[number], answer)

    def _replace(self, worker: _Worker[M]) -> list[Piece[M]]:
        piece = worker.piece
        assert piece is not None
        code = _end(worker, GRACE)
        self.workers.remove(worker)
        self.stillborn += not worker.ready
        if self.stillborn >= DEATHS:
            raise TsunaguError(_STILLBORN.format(code=code))
        self.hire()
        return self._after_death(piece, code) if worker.ready else [piece]

    def _after_death(self, piece: Piece[M], code: int | None) -> list[Piece[M]]:
        again = piece.after_deaths(1)
        if not again:
            for member in piece.rest():
                self.on_end(member, Failure(category="WorkerDied", reason=_how(code), again=False))
        return again


@contextmanager
def _staff(job: Job[M], count: int, on_end: Callable[[M, Answer], None]) -> Iterator[_Staff[M]]:
    """So many workers, none of which outlives the block."""
    staff = _Staff(job, on_end)
    grace = 0.0
    try:
        for _ in range(count):
            staff.hire()
        yield staff
        for worker in staff.workers:
            with suppress(OSError):
                worker.pipe.send(None)
        grace = GRACE
    finally:
        # All of them are told before any is waited for.
        if not grace:
            for worker in staff.workers:
                worker.process.terminate()
        for worker in staff.workers:
            _end(worker, grace)


def _end(worker: _Worker[M], grace: float) -> int | None:
    """Wait for the end of a process, and bring it about if it does not come; the exit code."""
    process = worker.process
    process.join(grace)
    if process.exitcode is None:
        process.terminate()
        process.join(GRACE)
    if process.exitcode is None:
        process.kill()
        process.join()
    code = process.exitcode
    worker.pipe.close()
    process.close()
    return code


def _how(code: int | None) -> str:
    killed = f"killed by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
    memory = ", perhaps for want of memory" if code == -9 else ""
    return f"its worker was {killed}{memory}, {DEATHS} times; run with fewer workers or a smaller model"


_STILLBORN = (
    "worker processes end before they begin, with code {code}; in a script of your own, run the study under "
    "`if __name__ == '__main__':`, because each worker imports the script"
)


def _serve(pipe: Connection, job: Job[Any]) -> None:
    """What a worker does: run groups until there is none."""
    begin_worker()
    for_small_steps()
    pipe.send(READY)
    while (group := pipe.recv()) is not None:
        for pair in answers(job, group):
            pipe.send(pair)
        pipe.send(OVER)
