"""The training of one supernet under a searcher, and the choice that it ends in.

Each task's candidates are first trained alone on the truth, all of them equally often; then the chain as the searcher
says, which is told what validation events make of its questions. A step is a pure function of (state, step number), so
a search that goes on from a checkpoint ends in the same bytes as the uninterrupted one.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from tsunagu.data import Split, Table
from tsunagu.errors import Mistake, SpecError, TsunaguError
from tsunagu.layers import stochastic
from tsunagu.metrics import parse_metric
from tsunagu.oneshot.choosing import Chosen, choose
from tsunagu.oneshot.judging import Judge
from tsunagu.oneshot.leaves import Leaves
from tsunagu.oneshot.objectives import Objectives
from tsunagu.oneshot.strategy import Strategy, strategy
from tsunagu.random import derive_seed
from tsunagu.search import Distribution, HasDistribution, Searcher, Space, fair_paths, from_data, to_data
from tsunagu.spec import Architecture, Pipeline
from tsunagu.tasks import Stage, sampling_of, stages
from tsunagu.tasks.supernet import build_supergraph, reached
from tsunagu.train import Epoch, Position

__all__ = ["OneShot"]

Watch = Callable[["OneShot"], None]


@final
class OneShot:
    """A supernet being trained.

    The stages are those of the pipeline, without early stopping: what one path has overtrained another has hardly seen.

    Args:
        pipeline: with choices in its models and nowhere else.
        searcher: of the family that trains a supernet: Spos, Asng, Enas, Darts, Gdas.
        table: the events; only its training and validation rows are read.
        split: which rows are which.
        seed: of initial weights, orders, noise and draws.

    Attributes:
        graph: the supernet.
        position: the place in the training, with its history.
        trajectory: for each epoch of the last stage, the distribution over options that the searcher held.
    """

    def __init__(
        self, pipeline: Pipeline, searcher: Searcher[Any, Any, Any], table: Table, split: Split, *, seed: int
    ) -> None:
        self.pipeline, self.table, self.split, self.seed = pipeline, table, split, seed
        self.graph = build_supergraph(pipeline, seed=seed).to(table.device)
        self.stages = stages(pipeline)
        self.sampling = sampling_of(pipeline, table, split.train)
        if pipeline.train.augment:
            found = "a supernet is trained on events as they are; leave the augmentations to the training of what it chooses"
            raise SpecError([Mistake(("train", "augment"), found)])
        self.position = Position()
        self.trajectory: list[Distribution] = []
        self.space = Space({"tasks": pipeline.tasks})
        self._leaves = Leaves(self.graph, pipeline.train)
        self._strategy: Strategy = strategy(searcher, self.questions)
        self._state: Any = self._strategy.searcher.init(self.space, derive_seed(seed, "search"))
        self._noise = list(stochastic(self.graph))
        self._questions: tuple[int, list[Tensor]] | None = None
        self._loss = torch.zeros((), device=table.device)
        self._started = time.monotonic()

    @property
    def stage(self) -> Stage:
        """The stage that is being trained."""
        return self.stages[self.position.stage]

    @property
    def done(self) -> bool:
        """Whether the supernet is trained; what it chooses is then found by :meth:`choose`."""
        return self.position.stage >= len(self.stages)

    @property
    def seconds(self) -> float:
        """Time spent, earlier runs of an interrupted search included."""
        return self.position.seconds + time.monotonic() - self._started

    @property
    def parameters(self) -> int:
        """Trainable parameters of the supernet."""
        return self._leaves.count

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the training events."""
        return math.ceil(len(self.sampling) / self.pipeline.train.batch_size)

    @property
    def questions(self) -> int:
        """Steps of the last stage, in each of which a searcher may ask."""
        return self.stages[-1].epochs * self.steps_per_epoch

    def run(self, on_step: Watch | None = None, on_epoch: Watch | None = None) -> None:
        """Train the supernet to the end.

        Args:
            on_step: called after every step.
            on_epoch: called after every epoch.

        Raises:
            TsunaguError: the loss is not a number any more, or a path fails on a batch.
        """
        while not self.done:
            if self.position.epoch == self.position.step == 0:
                self._leaves.restart()
            while self.position.epoch < self.stage.epochs:
                self._epoch(on_step)
                if on_epoch is not None:
                    on_epoch(self)
            self.position.next_stage()

    def choose(self) -> Chosen:
        """What the search comes to, on validation events alone."""
        judge = Judge(
            graph=self.graph,
            metric=parse_metric(self.pipeline.metric),
            table=self.table,
            train=self.split.train,
            rows=self.split.validation,
            batch_size=self.pipeline.train.batch_size,
            seed=self.seed,
        )
        last = Objectives(graph=self.graph, stage=self.stages[-1], table=self.table)
        return choose(self._strategy, self._state, judge, last)

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that the next step depends on, by name."""
        _, state = to_data(self._state)
        found = self._leaves.tensors() | {f"state.{name}": value for name, value in state.items()}
        return found | {f"buffers.{n}": v for n, v in self.graph.named_buffers()} | {"loss": self._loss}

    def note(self) -> str:
        """The rest of the state, as JSON."""
        position = Position(**vars(self.position) | {"seconds": self.seconds})
        plain, _ = to_data(self._state)
        return json.dumps({"position": position.dumps(), "searcher": plain, "trajectory": self.trajectory})

    def restore(self, note: str, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a stored state.

        Raises:
            ResumeError: it is that of another search.
        """
        kept = json.loads(note)
        self.position = Position.loads(kept["position"])
        self.trajectory = kept["trajectory"]
        self._started = time.monotonic()
        self._leaves.load(tensors)
        for name, value in self.graph.named_buffers():
            value.copy_(tensors[f"buffers.{name}"])
        own = {n.removeprefix("state."): v.clone() for n, v in tensors.items() if n.startswith("state.")}
        self._state = from_data(self._strategy.searcher, self.space, kept["searcher"], own)
        self._loss = tensors["loss"].clone()

    def _epoch(self, on_step: Watch | None) -> None:
        place, size = self.position, self.pipeline.train.batch_size
        self.graph.train()
        if place.step == 0:
            self._loss = torch.zeros((), device=self.table.device)
        objectives = Objectives(
            graph=self.graph, stage=self.stage, table=self.table, sparse=self._strategy.sparse
        )
        order = derive_seed(self.seed, "stage", place.stage)
        rows = self.sampling.epoch(order, place.epoch)
        for index in self.table.batches(rows, size, order, place.epoch, start=place.step):
            self._step(objectives, index)
            place.step += 1
            if on_step is not None:
                on_step(self)
        self._close_epoch()

    def _step(self, objectives: Objectives, index: Tensor) -> None:
        place, each = self.position, self.steps_per_epoch
        done = place.epoch * each + place.step
        self._reseed_noise()
        try:
            if self._is_last:
                self._ask(objectives, index, done)
                loss, paths = self._strategy.train(self._state, objectives, index, done)
            else:
                loss, paths = objectives.of_paths(self._candidates(done), index)
            self._leaves.step(loss, paths, done, self.stage.epochs * each)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            msg = f"{self.stage.name}, epoch {place.epoch + 1}: a batch of {len(index)} events fails: {error}"
            raise TsunaguError(msg) from error
        self._loss += loss.detach()

    @property
    def _is_last(self) -> bool:
        return self.position.stage == len(self.stages) - 1

    def _ask(self, objectives: Objectives, index: Tensor, done: int) -> None:
        own = self._strategy
        if own.learns and self.position.epoch >= own.warmup and not own.searcher.done(self._state):
            valid = self._validation(done)
            self._state = own.ask(self._state, objectives, index, valid, self._leaves.rate)

    def _candidates(self, done: int) -> list[Architecture]:
        """The paths of a step that trains tasks alone: each of their candidates once."""
        fair = fair_paths(self.space, derive_seed(self.seed, "fair", self.position.stage), done)
        models = [self.graph.models[task] for task in self.stage.tasks]
        # Paths that differ in other tasks alone are the same here.
        own = {Architecture(_decided(models, path)): path for path in reversed(fair)}
        return list(own.values())

    def _validation(self, done: int) -> Tensor:
        """The validation events of a question: one batch after the other, in a new order every time around."""
        size, rows = self.pipeline.train.batch_size, self.split.validation
        around, place = divmod(done, math.ceil(len(rows) / size))
        if self._questions is None or self._questions[0] != around:
            seed = derive_seed(self.seed, "questions")
            self._questions = around, list(self.table.batches(rows, size, seed, around))
        return self._questions[1][place]

    def _reseed_noise(self) -> None:
        place = self.position
        seed = derive_seed(self.seed, "noise", place.stage, place.epoch, place.step) if self._noise else 0
        for path, layer in self._noise:
            layer.reseed(derive_seed(seed, path))

    def _close_epoch(self) -> None:
        place, searcher = self.position, self._strategy.searcher
        train = float(self._loss) / max(1, place.step)
        if not math.isfinite(train):
            found = f"the loss is not a number any more ({train})"
            msg = f"{self.stage.name}, epoch {place.epoch + 1}: {found}; lower train.optimizer's lr or set train.clip"
            raise TsunaguError(msg)
        if self._is_last and isinstance(searcher, HasDistribution):
            self.trajectory.append(searcher.distribution(self._state))
        place.epoch, place.step = place.epoch + 1, 0
        place.history.append(
            Epoch(
                stage=self.stage.name,
                epoch=place.epoch,
                step=place.epoch * self.steps_per_epoch,
                train_loss=train,
                valid_loss=math.nan,
                metric=math.nan,
                seconds=round(self.seconds, 3),
            )
        )


def _decided(models: Sequence[nn.Module], path: Architecture) -> dict[str, str]:
    return {label: option for model in models for label, option in reached(model, path).items()}
