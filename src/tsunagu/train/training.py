"""The training of a pipeline: a bare loop over its stages that can stop after any step and go on from there.

Notable decisions: a step is a pure function of (state, step number), since batch order and noise derive from the seed
and the place; so a resumed training equals the uninterrupted one byte for byte, and no generator is stored. Losses
gather in a tensor that is read once per epoch. Callbacks are plain functions, given by the caller.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import final

import torch
from torch import Tensor

from tsunagu.data import Split, Table, batches
from tsunagu.errors import TsunaguError
from tsunagu.layers import stochastic
from tsunagu.metrics import parse_metric
from tsunagu.random import derive_seed
from tsunagu.spec import Pipeline
from tsunagu.tasks import Graph, Stage, build_graph, stages
from tsunagu.train.evaluation import Evaluation, evaluate, predict, reseed_for_evaluation
from tsunagu.train.flat import FlatModel
from tsunagu.train.optimizer import learning_rate
from tsunagu.train.position import Epoch, Position
from tsunagu.train.state import copied, load, named, under, weights
from tsunagu.train.stepper import Stepper

__all__ = ["Training"]

Watch = Callable[["Training"], None]


@final
class Training:
    """A pipeline being trained on one table.

    Args:
        pipeline: without choices.
        table: the events; only its training and validation rows are read.
        split: which rows are which.
        seed: of initial weights, batch order and noise.

    Attributes:
        graph: the models, an ordinary ``nn.Module``.
        position: the place in the training; its history has one :class:`Epoch` a line.
    """

    def __init__(self, pipeline: Pipeline, table: Table, split: Split, *, seed: int) -> None:
        self.pipeline, self.table, self.split, self.seed = pipeline, table, split, seed
        self.graph: Graph = build_graph(pipeline, seed=seed)
        self.stages = stages(pipeline)
        self.position = Position()
        self._flats = {name: FlatModel(model) for name, model in self.graph.models.items()}
        self._noise = list(stochastic(self.graph))
        self._metric = parse_metric(pipeline.metric)
        self._best: dict[str, Tensor] = {}
        self._loss = torch.zeros(())
        self._started = time.monotonic()
        self._begin_stage()

    @property
    def stage(self) -> Stage:
        """The stage that is being trained."""
        return self.stages[self.position.stage]

    @property
    def done(self) -> bool:
        """Whether the last stage has ended."""
        return self.position.stage >= len(self.stages)

    @property
    def seconds(self) -> float:
        """Time spent, earlier runs of an interrupted training included."""
        return self.position.seconds + time.monotonic() - self._started

    @property
    def parameters(self) -> dict[str, int]:
        """Trainable parameters by task."""
        return {name: flat.count for name, flat in self._flats.items()}

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the training events."""
        return math.ceil(len(self.split.train) / self.pipeline.train.batch_size)

    def run(self, on_step: Watch | None = None, on_epoch: Watch | None = None) -> None:
        """Train to the end.

        Args:
            on_step: called after every optimiser step; a place to look at the clock, not at the loss.
            on_epoch: called after every epoch, when the history has a new line.

        Raises:
            TsunaguError: the loss is not a number any more, a model fails on a batch or draws random numbers that no
                seed reaches; the message names the stage and the epoch.
        """
        while not self.done:
            while self._stepper.learns and self.position.epoch < self.stage.epochs and not self._is_over():
                self._epoch(on_step)
                if on_epoch is not None:
                    on_epoch(self)
            self._end_stage()

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that the next step depends on, by name; with :attr:`position` the whole state.

        They are the training's own and change with its next step.
        """
        state = named("now", weights(self.graph, self._flats)) | named("best", self._best)
        return state | named("optimizer", self._stepper.moments()) | {"loss": self._loss}

    def restore(self, position: Position, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a stored state.

        Raises:
            ResumeError: the tensors are not those of this pipeline.
        """
        self.position = position
        self._started = time.monotonic()
        if not self.done:
            self._begin_stage()
            self._stepper.restore(under("optimizer", tensors))
        load(weights(self.graph, self._flats), under("now", tensors))
        self._best = copied(under("best", tensors))
        self._loss = tensors["loss"].clone()

    def predictions(self, rows: Tensor) -> dict[str, Tensor]:
        """The outputs of all tasks for the given rows ``[N]``, in their order."""
        reseed_for_evaluation(self.graph, self.seed)
        return predict(self.graph, self.table, rows)

    def _begin_stage(self) -> None:
        self._stepper = Stepper(self.graph, self._flats, self.stage, self.pipeline.train, self.table)
        self._best = {}

    def _end_stage(self) -> None:
        if self._best:
            load(weights(self.graph, self._flats), self._best)
        self._best = {}
        self.position.next_stage()
        if not self.done:
            self._begin_stage()

    def _is_over(self) -> bool:
        patience = self.stage.patience
        return patience is not None and self.position.epoch - self.position.best_epoch >= patience

    def _epoch(self, on_step: Watch | None) -> None:
        place, size = self.position, self.pipeline.train.batch_size
        self.graph.train()
        if place.step == 0:
            self._loss = torch.zeros(())
        order = derive_seed(self.seed, "stage", place.stage)
        step = self._watched_step
        for index in islice(batches(self.split.train, size, order, place.epoch), place.step, None):
            self._loss += step(index)
            step = self._step
            place.step += 1
            if on_step is not None:
                on_step(self)
        self._close_epoch()

    def _step(self, index: Tensor) -> Tensor:
        place, schedule = self.position, self.pipeline.train.schedule
        if self._noise:
            seed = derive_seed(self.seed, "noise", place.stage, place.epoch, place.step)
            for path, layer in self._noise:
                layer.reseed(derive_seed(seed, path))
        if schedule is not None:
            done = place.epoch * self.steps_per_epoch + place.step
            self._stepper.set_rate(learning_rate(schedule, done, self.stage.epochs * self.steps_per_epoch))
        try:
            return self._stepper.step(index)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            short = (
                " (the rest at the end of an epoch)" if len(index) < self.pipeline.train.batch_size else ""
            )
            raise TsunaguError(self._at(f"a batch of {len(index)} events{short} fails: {error}")) from error

    def _watched_step(self, index: Tensor) -> Tensor:
        before = torch.default_generator.get_state()
        loss = self._step(index)
        if not torch.equal(before, torch.default_generator.get_state()):
            found = (
                "a model draws from torch's global generator (functional.dropout, torch.rand), which no seed of a "
                "trial reaches; use a Dropout layer, or a generator of its own with a method reseed(seed)"
            )
            raise TsunaguError(self._at(found))
        return loss

    def _close_epoch(self) -> None:
        place = self.position
        reseed_for_evaluation(self.graph, self.seed)
        valid = evaluate(self.graph, self.stage, self._metric, self.table, self.split.validation)
        train = float(self._loss) / max(1, place.step)
        self._check_finite(train, valid.loss)
        place.epoch, place.step = place.epoch + 1, 0
        if valid.loss < place.best_loss:
            place.best_loss, place.best_epoch = valid.loss, place.epoch
            self._best = copied(weights(self.graph, self._flats))
        place.history.append(self._line(train, valid))

    def _check_finite(self, train: float, valid: float) -> None:
        if not math.isfinite(train) or not math.isfinite(valid):
            found = (
                f"the loss is not a number any more (training {train}, validation {valid}); lower "
                "train.optimizer's lr or set train.clip, such as clip: 1.0"
            )
            raise TsunaguError(self._at(found))

    def _line(self, train: float, valid: Evaluation) -> Epoch:
        return Epoch(
            stage=self.stage.name,
            epoch=self.position.epoch,
            step=self.position.epoch * self.steps_per_epoch,
            train_loss=train,
            valid_loss=valid.loss,
            metric=valid.metric,
            seconds=round(self.seconds, 3),
        )

    def _at(self, message: str) -> str:
        return f"{self.stage.name}, epoch {self.position.epoch + 1}: {message}"
