"""The machine a process runs on: how many cores it may use, and processes that end when they are to end."""

from __future__ import annotations

import ctypes
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path

__all__ = [
    "ONE_THREAD",
    "available_memory",
    "begin_worker",
    "environment",
    "keep_freed_memory",
    "usable_cores",
    "without_interrupts",
]

ONE_THREAD: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""The environment of a worker, to be set before it imports torch: threads that spin at barriers cost far more than
they gain as soon as there are as many busy processes as cores."""
SYSTEM = Path("/")


def usable_cores(system: Path = SYSTEM) -> int:
    """Cores that this process may use: at most those that it is bound to, and those that its container may use up.

    Args:
        system: the root of the file system that tells of quotas.

    >>> usable_cores() >= 1
    True
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for quota in _quotas(system) if quota > 0]
    return max(1, int(min([bound, *quotas])))


def available_memory(system: Path = SYSTEM) -> float:
    """Bytes that this process may still fill: what the system and its container have left; infinite if none tells.

    >>> available_memory() > 0
    True
    """
    words = iter(_words(system / "proc/meminfo"))
    free = [1024.0 * int(next(words)) for word in words if word == "MemAvailable:"]
    left = [_left(folder, *names) for folder in _groups(system, "memory") for names in _MEMORY]
    return min([*free, *left], default=math.inf)


# The limit, what is used, and how much of that are files that can be read again, by version of control groups.
_MEMORY = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def _left(folder: Path, limit: str, used: str, files: str) -> float:
    with suppress(ValueError):
        (most,), (now,) = _words(folder / limit), _words(folder / used)
        words = iter(_words(folder / "memory.stat"))
        spare = sum(int(next(words)) for word in words if word == files)
        return max(0.0, float(int(most) - int(now) + spare))
    return math.inf


def _quotas(system: Path) -> Iterator[float]:
    """The quotas of all control groups around this process, in cores."""
    for folder in _groups(system, "cpu"):
        # Version 2 of control groups says "200000 100000" or "max 100000" in one file, version 1 has two.
        words = _words(folder / "cpu.max") or [
            *_words(folder / "cpu.cfs_quota_us"),
            *_words(folder / "cpu.cfs_period_us"),
        ]
        with suppress(ValueError, ZeroDivisionError):
            quota, period = words
            yield int(quota) / int(period)


def _groups(system: Path, controller: str) -> Iterator[Path]:
    root = system / "sys/fs/cgroup"
    yield root
    yield root / controller
    for line in _words(system / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        kinds, _, name = rest.partition(":")
        if kinds and controller not in kinds.split(","):
            continue
        inner = Path(name.lstrip("/"))
        yield from (root / (kinds and controller) / part for part in (inner, *inner.parents))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except OSError:
        return []


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment while the block runs, for the processes that start in it.

    >>> with environment({"TSUNAGU_EXAMPLE": "1"}):
    ...     os.environ["TSUNAGU_EXAMPLE"]
    '1'
    >>> "TSUNAGU_EXAMPLE" in os.environ
    False
    """
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Processes and threads that start here never see Ctrl-C, not even before they can say so themselves."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Python starts this helper with the first process, and lets signals through again when it has.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin_worker() -> None:
    """To be called first in a worker process: it leaves Ctrl-C to its parent, and ends when its parent has ended."""
    # Ctrl-C reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A worker whose owner was killed would go on for nobody, and then wait for work for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


# glibc's numbers for these settings.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_MOST_KEPT, _LARGEST_KEPT, _AHEAD = 1 << 29, 1 << 25, 1 << 26


def keep_freed_memory() -> None:
    """Keep up to 512 MB of freed memory for the next request, in place of giving it back to the system.

    A training step frees and asks for the same megabytes every time. With glibc's defaults every tensor of more than
    128 kB may be returned and fetched again, page by page, which costs wide networks a tenth of a step. Elsewhere nothing
    is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for setting, value in (
        (_TRIM_THRESHOLD, _MOST_KEPT),
        (_TOP_PAD, _AHEAD),
        (_MMAP_THRESHOLD, _LARGEST_KEPT),
    ):
        mallopt(setting, value)
