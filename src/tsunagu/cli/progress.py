"""Progress of a study on a terminal: loss, metric, events per second, time left. Silent where nobody watches."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import Progress, TaskID

from tsunagu.cli.bars import bars
from tsunagu.cli.console import console
from tsunagu.errors import TsunaguError
from tsunagu.studies import Planned, Watcher
from tsunagu.trials import Result, Watched

__all__ = ["watching"]

REFRESH = 0.2
# The time that is left is judged by the whole of a run; a trial may take longer than the half minute that rich looks at.
MEMORY = 24 * 3600.0


@contextmanager
def watching() -> Iterator[Watcher]:
    """A watcher that draws bars on a terminal and does nothing elsewhere."""
    if not console.is_terminal or os.environ.get("RANK", "0") != "0":
        yield Watcher()
        return
    with bars() as progress:
        progress.speed_estimate_period = MEMORY
        drawn = _Bars(progress)
        yield Watcher(
            begin=drawn.begin,
            found=drawn.found,
            trial=drawn.trial,
            step=drawn.step,
            epoch=drawn.epoch,
            end=drawn.end,
        )


@dataclass
class _Bars:
    progress: Progress
    trials: TaskID | None = None
    epochs: TaskID | None = None
    total: int = 0
    ended: int = 0
    looked: float = 0.0
    seen: int = 0
    state: str = ""

    def begin(self, planned: Sequence[Planned]) -> None:
        """More trials; a search plans them round by round."""
        if self.trials is None:
            self.trials = self.progress.add_task("trials", total=0, state="")
        self.total += len(planned)
        self.progress.update(self.trials, total=self.total)

    def found(self, planned: Planned, result: Result) -> None:  # noqa: ARG002
        assert self.trials is not None
        self.ended += 1
        # What took no time says nothing of the time that is left.
        self.progress.reset(self.trials, completed=self.ended)

    def trial(self, planned: Planned) -> None:
        """Where trials run in workers nobody calls this, and there is no bar of epochs."""
        assert self.trials is not None
        if self.epochs is None:
            self.epochs = self.progress.add_task("", total=None, state="")
        self.state, self.seen, self.looked = "", 0, time.monotonic()
        self.progress.update(self.trials, state=_words(planned))
        self.progress.reset(self.epochs, description="", total=None, state="")

    def step(self, training: Watched) -> None:
        self.seen += training.pipeline.train.batch_size
        now = time.monotonic()
        if now - self.looked < REFRESH:
            return
        rate, self.seen, self.looked = self.seen / (now - self.looked), 0, now
        self._draw(training, f"{self.state} {rate:,.0f} events/s")

    def epoch(self, training: Watched) -> None:
        last = training.position.history[-1]
        metric = "" if last.metric != last.metric else f" {training.pipeline.metric} {last.metric:.4f}"
        self.state = f"loss {last.train_loss:.4f} | {last.valid_loss:.4f}{metric}"

    def end(self, planned: Planned, result: Result | TsunaguError) -> None:
        assert self.trials is not None
        self.ended += 1
        self.progress.advance(self.trials)
        if self.epochs is None:
            self.progress.update(self.trials, state=f"{_words(planned)}: {_came_to(result)}")

    def _draw(self, training: Watched, state: str) -> None:
        assert self.epochs is not None
        place, each = training.position, training.steps_per_epoch
        description = f"{training.stage.name}, epoch {place.epoch + 1}"
        total, done = training.stage.epochs * each, place.epoch * each + place.step
        self.progress.update(self.epochs, description=description, total=total, completed=done, state=state)


def _words(planned: Planned) -> str:
    return ", ".join([planned.method, *planned.trial.architecture.values(), f"seed {planned.trial.seed}"])


def _came_to(result: Result | TsunaguError) -> str:
    if isinstance(result, TsunaguError):
        return "failed"
    metrics = [(name, value) for name, value in result.metrics.items() if name.startswith("validation_")]
    return (
        " ".join(f"{name.removeprefix('validation_')} {value:.4f}" for name, value in metrics[:1]) or "done"
    )
