"""Progress of a study on a terminal: loss, metric, events per second, time left. Silent where nobody watches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import Progress, TaskID

from tsunagu.cli.bars import bars
from tsunagu.cli.console import console
from tsunagu.errors import TsunaguError
from tsunagu.studies import Planned, Watcher
from tsunagu.train import Training
from tsunagu.trials import Result

__all__ = ["watching"]

REFRESH = 0.2


@contextmanager
def watching() -> Iterator[Watcher]:
    """A watcher that draws bars on a terminal and does nothing elsewhere."""
    if not console.is_terminal:
        yield Watcher()
        return
    with bars() as progress:
        drawn = _Bars(progress)
        yield Watcher(begin=drawn.begin, trial=drawn.trial, step=drawn.step, epoch=drawn.epoch, end=drawn.end)


@dataclass
class _Bars:
    progress: Progress
    trials: TaskID | None = None
    epochs: TaskID | None = None
    looked: float = 0.0
    seen: int = 0
    state: str = ""

    def begin(self, planned: Sequence[Planned]) -> None:
        self.trials = self.progress.add_task("trials", total=len(planned), state="")
        self.epochs = self.progress.add_task("", total=None, state="")

    def trial(self, planned: Planned) -> None:
        assert self.trials is not None
        assert self.epochs is not None
        self.state, self.seen, self.looked = "", 0, time.monotonic()
        words = [planned.method, *planned.trial.architecture.values(), f"seed {planned.trial.seed}"]
        self.progress.update(self.trials, state=", ".join(words))
        self.progress.reset(self.epochs, description="", total=None, state="")

    def step(self, training: Training) -> None:
        self.seen += training.pipeline.train.batch_size
        now = time.monotonic()
        if now - self.looked < REFRESH:
            return
        rate, self.seen, self.looked = self.seen / (now - self.looked), 0, now
        self._draw(training, f"{self.state} {rate:,.0f} events/s")

    def epoch(self, training: Training) -> None:
        last = training.position.history[-1]
        metric = "" if last.metric != last.metric else f" {training.pipeline.metric} {last.metric:.4f}"
        self.state = f"loss {last.train_loss:.4f} | {last.valid_loss:.4f}{metric}"

    def end(self, planned: Planned, result: Result | TsunaguError) -> None:  # noqa: ARG002
        assert self.trials is not None
        self.progress.advance(self.trials)

    def _draw(self, training: Training, state: str) -> None:
        assert self.epochs is not None
        place, each = training.position, training.steps_per_epoch
        description = f"{training.stage.name}, epoch {place.epoch + 1}"
        total, done = training.stage.epochs * each, place.epoch * each + place.step
        self.progress.update(self.epochs, description=description, total=total, completed=done, state=state)
