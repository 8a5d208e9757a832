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
from torch import Tensor, nn

from tsunagu.data import Split, Table, batches
from tsunagu.errors import ResumeError, TsunaguError
from tsunagu.layers import reseed
from tsunagu.metrics import parse_metric
from tsunagu.random import derive_seed
from tsunagu.spec import Pipeline
from tsunagu.tasks import Graph, Stage, build_graph, stages
from tsunagu.train.evaluate import evaluate, predict
from tsunagu.train.flat import FlatModel
from tsunagu.train.optimizer import learning_rate, optimizer
from tsunagu.train.position import Epoch, Position

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
        self._noisy = any(hasattr(module, "reseed") for module in self.graph.modules())
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
            TsunaguError: the loss is not a number any more; the message names the stage and the epoch.
        """
        while not self.done:
            while self.position.epoch < self.stage.epochs and self._optimizer is not None:
                self._epoch(on_step)
                if on_epoch is not None:
                    on_epoch(self)
                if self._patience_is_over():
                    break
            self._end_stage()

    def step(self, index: Tensor) -> Tensor:
        """One optimiser step on the events ``index [B]``; the loss before it, a scalar on the device."""
        assert self._optimizer is not None
        rows = self.table.take(self._columns, index)
        if self._noisy:
            place = self.position
            reseed(self.graph, derive_seed(self.seed, "noise", place.stage, place.epoch, place.step))
        predictions = self.graph(rows, self.stage.tasks, self.stage.substitutes)
        loss = self.stage.loss(predictions, rows, self.table.train_weight.index_select(0, index))
        for flat in self._active:
            flat.gradient.zero_()
        # A control without parameters at the end of the chain gives a loss that nothing can lower.
        if loss.requires_grad:
            torch.autograd.backward(loss)
        if self.pipeline.train.clip is not None:
            nn.utils.clip_grad_norm_([flat.weights for flat in self._active], self.pipeline.train.clip)
        self._set_learning_rate()
        self._optimizer.step()
        return loss.detach()

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that the next step depends on, by name; with :attr:`position` the whole state."""
        state = {f"now.{name}": value for name, value in self._weights().items()}
        state |= {f"best.{name}": value for name, value in self._best.items()}
        for number, flat in enumerate(self._active):
            moments = self._optimizer.state.get(flat.weights, {}) if self._optimizer else {}
            state |= {
                f"optimizer.{number}.{name}": torch.as_tensor(m)
                for name, m in moments.items()
                if m is not None
            }
        return state | {"loss": self._loss}

    def restore(self, position: Position, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a stored state.

        Raises:
            ResumeError: the tensors are not those of this pipeline.
        """
        self.position = position
        self._started = time.monotonic()
        if not self.done:
            self._begin_stage()
        self._best = _under(tensors, "best.")
        self._load(_under(tensors, "now."))
        self._loss = tensors["loss"].clone()
        for number, flat in enumerate(self._active):
            moments = _under(tensors, f"optimizer.{number}.")
            if moments and self._optimizer is not None:
                self._optimizer.state[flat.weights] = {name: value.clone() for name, value in moments.items()}

    def predictions(self, rows: Tensor) -> dict[str, Tensor]:
        """The outputs of all tasks for the given rows ``[N]``, in their order."""
        self._reseed_for_evaluation()
        return predict(self.graph, self.table, rows)

    def _begin_stage(self) -> None:
        stage = self.stage
        self._columns = list(
            dict.fromkeys([*self.graph.columns(stage.tasks, stage.substitutes), *stage.targets])
        )
        self._active = [self._flats[name] for name in stage.tasks if self._flats[name].count]
        # A stage of constant models (controls such as Zero) has nothing to learn and no optimiser.
        weights = [flat.weights for flat in self._active]
        self._optimizer = optimizer(self.pipeline.train.optimizer, weights) if weights else None
        self._rates = [group["lr"] for group in self._optimizer.param_groups] if self._optimizer else []
        self._best = {}

    def _end_stage(self) -> None:
        if self._best:
            self._load(self._best)
        self._best = {}
        self.position.next_stage()
        if not self.done:
            self._begin_stage()

    def _epoch(self, on_step: Watch | None) -> None:
        place, size = self.position, self.pipeline.train.batch_size
        self.graph.train()
        if place.step == 0:
            self._loss = torch.zeros(())
        order = derive_seed(self.seed, "stage", place.stage)
        for index in islice(batches(self.split.train, size, order, place.epoch), place.step, None):
            self._loss += self.step(index)
            place.step += 1
            if on_step is not None:
                on_step(self)
        self._close_epoch()

    def _close_epoch(self) -> None:
        place, stage = self.position, self.stage
        self._reseed_for_evaluation()
        valid = evaluate(self.graph, stage, self._metric, self.table, self.split.validation)
        train = float(self._loss) / max(1, place.step)
        if not math.isfinite(train) or not math.isfinite(valid.loss):
            msg = (
                f"{stage.name}, epoch {place.epoch + 1}: the loss is not a number any more (training {train}, "
                f"validation {valid.loss}); lower train.optimizer's lr or set train.clip, such as clip: 1.0"
            )
            raise TsunaguError(msg)
        place.epoch += 1
        if valid.loss < place.best_loss:
            place.best_loss, place.best_epoch = valid.loss, place.epoch
            self._best = {name: value.clone() for name, value in self._weights().items()}
        place.step = 0
        place.history.append(
            Epoch(
                stage=stage.name,
                epoch=place.epoch,
                step=place.epoch * self.steps_per_epoch,
                train_loss=train,
                valid_loss=valid.loss,
                metric=valid.metric,
                seconds=round(self.seconds, 3),
            )
        )

    def _patience_is_over(self) -> bool:
        patience = self.stage.patience
        return patience is not None and self.position.epoch - self.position.best_epoch >= patience

    def _set_learning_rate(self) -> None:
        schedule, place = self.pipeline.train.schedule, self.position
        if schedule is None or self._optimizer is None:
            return
        done = place.epoch * self.steps_per_epoch + place.step
        factor = learning_rate(schedule, done, self.stage.epochs * self.steps_per_epoch)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def _reseed_for_evaluation(self) -> None:
        if self._noisy:
            reseed(self.graph, derive_seed(self.seed, "evaluation"))

    def _weights(self) -> dict[str, Tensor]:
        flats = {f"weights.{name}": flat.weights.data for name, flat in self._flats.items()}
        return flats | {f"buffers.{name}": value for name, value in self.graph.named_buffers()}

    def _load(self, tensors: Mapping[str, Tensor]) -> None:
        own = self._weights()
        if {n: v.shape for n, v in own.items()} != {n: v.shape for n, v in tensors.items()}:
            msg = "the stored weights are not those of this pipeline; remove the checkpoint to begin the trial again"
            raise ResumeError(msg)
        for name, value in own.items():
            value.copy_(tensors[name])


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
