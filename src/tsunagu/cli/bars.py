"""How bars look on a terminal, and the one of the generator; nothing is drawn where nobody watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from tsunagu.cli.console import console

__all__ = ["bars", "events_bar"]


def bars() -> Progress:
    """Bars with a field ``state`` and the time that is left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def events_bar(description: str) -> Iterator[_Events]:
    """A bar of events with their rate, for the generator."""
    with bars() as progress:
        yield _Events(progress, progress.add_task(description, total=None, state=""))


@dataclass
class _Events:
    progress: Progress
    bar: TaskID
    began: float = field(default_factory=time.monotonic)
    first: int | None = None

    def __call__(self, done: int, total: int) -> None:
        # Shards of an earlier, interrupted run count as done but not in the rate; nor does the time before the first
        # event, in which the library of minimum-bias events is made.
        self.first = done if self.first is None else self.first
        if done == self.first:
            self.began, state = time.monotonic(), "preparing"
        else:
            rate = (done - self.first) / max(time.monotonic() - self.began, 1e-9)
            state = f"{rate:,.0f} events/s"
        self.progress.update(self.bar, completed=done, total=total, state=state)
