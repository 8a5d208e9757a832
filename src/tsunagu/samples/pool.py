"""Shards in parallel processes, with progress event by event, that end when they are to end."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tsunagu.errors import ResumeError
from tsunagu.files import write_bytes
from tsunagu.machine import begin_worker, without_interrupts
from tsunagu.samples.files import is_whole
from tsunagu.samples.shards import Shard, make_minimum_bias, make_shard

__all__ = ["make_shards"]

LIBRARY = "min-bias.npz"
LOOK = 0.5
"""Seconds between two looks at the progress."""

_made: Any = None  # in a worker: the counter of rows that all workers share


def make_shards(missing: list[Shard], folder: Path, workers: int, progress: Callable[[int], None]) -> None:
    """Make shards, each a file of its own in the folder; returns when all are there.

    Args:
        missing: what to make, at least one.
        folder: for the shards and the library of minimum-bias events.
        workers: processes at most.
        progress: called with the rows made so far, about twice a second.

    Raises:
        ResumeError: a file cannot be written, or a process was killed.
    """
    # Processes are spawned: Pythia and numba keep state that must not be forked.
    context = multiprocessing.get_context("spawn")
    made = context.Value("q", 0)
    with _pool(ProcessPoolExecutor(min(workers, len(missing)), context, _begin, (made,))) as submit:
        if not is_whole(folder / LIBRARY):
            submit(_library, missing[0], folder).result()
        # The largest pieces first, so that no core waits for a late one.
        running = {submit(_shard, shard, folder) for shard in sorted(missing, key=lambda s: -s.rows)}
        while running:
            finished, running = wait(running, LOOK, FIRST_COMPLETED)
            for future in finished:
                future.result()
            progress(made.value)


@contextmanager
def _pool(pool: ProcessPoolExecutor) -> Iterator[Callable[..., Future[None]]]:
    """Submit to a pool, and kill its processes if anything goes wrong: pieces are whole or absent, so nothing is lost."""
    others = {child.pid for child in multiprocessing.active_children()}

    def submit(*task: Any) -> Future[None]:
        with without_interrupts():
            return pool.submit(*task)

    try:
        yield submit
    except BaseException as error:
        for child in multiprocessing.active_children():
            if child.pid not in others:
                child.terminate()
        if isinstance(error, BrokenProcessPool):
            msg = "a process of the generator was killed, perhaps for want of memory; run the same command again "
            raise ResumeError(msg + "to continue, with fewer workers") from error
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(made: Any) -> None:
    global _made  # noqa: PLW0603 - a counter reaches a worker only when it starts
    _made = made
    begin_worker()


def _library(shard: Shard, folder: Path) -> None:
    write_bytes(folder / LIBRARY, make_minimum_bias(shard.settings))


def _shard(shard: Shard, folder: Path) -> None:
    write_bytes(folder / shard.name, make_shard(shard, folder / LIBRARY, _count))


def _count(rows: int) -> None:
    with _made.get_lock():
        _made.value += rows
