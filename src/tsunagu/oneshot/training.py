"""The training of one supernet under a searcher, and the choice that it ends in.

Each task's candidates are first trained alone on the truth, all of them in every step; then the chain as the searcher
says, which is told what validation events make of its questions. A step is a pure function of (state, step number), so
a search that goes on from a checkpoint ends in the same bytes as the uninterrupted one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsunagu.data import Split, Table
from tsunagu.errors import Mistake, SpecError, TsunaguError
from tsunagu.losses import SUM
from tsunagu.metrics import MetricCall, parse_metric
from tsunagu.oneshot.choosing import Chosen, choose
from tsunagu.oneshot.judging import Judge
from tsunagu.oneshot.leaves import Leaves
from tsunagu.oneshot.noise import Noise
from tsunagu.oneshot.objectives import Objectives
from tsunagu.oneshot.rounds import Candidates, Questioned
from tsunagu.oneshot.strategy import Strategy, Trained, joint_stages, strategy
from tsunagu.random import derive_seed
from tsunagu.search import Distribution, HasDistribution, Searcher, Space, from_data, to_data
from tsunagu.spec import Architecture, Pipeline, adversaries
from tsunagu.tasks import Stage, fit_stages, sampling_of
from tsunagu.tasks.supernet import build_supergraph
from tsunagu.train import Drawn, Epoch, Meter, Position, Turn
from tsunagu.train.process import DRAWS_GLOBALLY, denormals_are_zero, generator_states
from tsunagu.train.state import copied, load, named, under, weights

__all__ = ["OneShot"]

Watch = Callable[["OneShot"], None]


@final
class OneShot:
    """A supernet being trained.

    The stages are those of the pipeline, without early stopping: what one path has overtrained another has hardly seen.

    Candidates that share no layers learn in it what they learn alone: the same first weights, batches and random numbers.

    Args:
        pipeline: with choices in its models and nowhere else; trained jointly.
        searcher: of the family that trains a supernet: Spos, Asng, Enas, Darts, Gdas.
        table: the events; only its training and validation rows are read.
        split: which rows are which.
        seed: of initial weights, orders, noise and draws.
        point: the values of all conditions at which paths are compared, by the searcher and at the end; the middle of their
            ranges by default. The shared weights are trained with values of the whole ranges, each event with its own.

    Attributes:
        graph: the supernet.
        position: the place in the training, with its history.
        meter: what the search has cost.
        trajectory: for each epoch of the last stage, the distribution over options that the searcher held.
        space: what is searched.

    Raises:
        SpecError: the searcher trains no supernet or would not be asked, the pipeline trains no stage jointly, or candidates
            cannot be built.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        searcher: Searcher[Any, Any, Any],
        table: Table,
        split: Split,
        *,
        seed: int,
        point: tuple[float, ...] | None = None,
    ) -> None:
        self.pipeline, self.table, self.split, self.seed = pipeline, table, split, seed
        if pipeline.train.augment:
            found = "a supernet is trained on events as they are; leave the augmentations to the training of what it chooses"
            raise SpecError([Mistake(("train", "augment"), found)])
        if pipeline.train.aggregate.key != SUM:
            found = "a supernet is trained on the sum of its losses; take Grid or Evolution, or train.aggregate: sum"
            raise SpecError([Mistake(("train", "aggregate"), found)])
        if against := sorted(adversaries(pipeline)):
            found = "works against other tasks, and a supernet is judged by the sum of all losses; take Grid or Evolution"
            raise SpecError([Mistake(("tasks", against[0], "model"), found)])
        self.stages = fit_stages(joint_stages(pipeline), table, split)
        self.sampling = sampling_of(pipeline, table, split.train)
        self._strategy: Strategy = strategy(searcher, self._questions(searcher))
        self.graph = build_supergraph(pipeline, seed=seed, point=point).to(table.device)
        conditions, size = self.graph.conditions, pipeline.train.batch_size
        self._drawn = Drawn(conditions, table, size) if conditions else None
        self.position = Position()
        self.trajectory: list[Distribution] = []
        self.space = Space({"tasks": pipeline.tasks})
        self._leaves = Leaves(self.graph, pipeline.train)
        self._state: Any = self._strategy.searcher.init(self.space, derive_seed(seed, "search"))
        self._ahead = self._strategy.ahead(self._state)
        self._noise = Noise(self.graph)
        self._alone = [
            Candidates(pipeline, self.space, stage, seed=derive_seed(seed, "alone", stage.name))
            for stage in self.stages[:-1]
        ]
        self._questioned = Questioned(table, split.validation, size, seed=derive_seed(seed, "questions"))
        self._loss = torch.zeros((), device=table.device)
        self.meter = Meter()
        self.meter.bear(1.0)

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
        return self.meter.seconds

    @property
    def parameters(self) -> int:
        """Trainable parameters of the supernet."""
        return self._leaves.count

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the training events."""
        return math.ceil(len(self.sampling) / self.pipeline.train.batch_size)

    def run(self, on_step: Watch | None = None, on_epoch: Watch | None = None) -> None:
        """Train the supernet to the end.

        Args:
            on_step: called after every step.
            on_epoch: called after every epoch.

        Raises:
            TsunaguError: the loss is not a number any more, or a path fails on a batch.
        """
        with denormals_are_zero():
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
        last = self._objectives(self.stages[-1].at(), derive_seed(self.seed, "evaluation"))
        return choose(self._strategy, self._state, self._judge, last)

    def compare(
        self, architectures: Sequence[Architecture], values: Tensor, metrics: Sequence[MetricCall]
    ) -> NDArray[np.float64]:
        """Metrics and loss of A paths on the validation events, at K values of the L conditions.

        Args:
            architectures: A of them.
            values: ``[K, L]`` float64.
            metrics: M of them.

        Returns:
            ``[A, K, M + 1]``, the loss at the end.
        """
        return self._judge.compare(architectures, values, metrics, self.stages[-1].at())

    @property
    def _judge(self) -> Judge:
        return Judge(
            graph=self.graph,
            metric=parse_metric(self.pipeline.metric),
            table=self.table,
            train=self.split.train,
            rows=self.split.validation,
            batch_size=self.pipeline.train.batch_size,
            seed=self.seed,
        )

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that the next step depends on, by name; with :meth:`note` the whole state.

        They are the search's own and change with its next step.
        """
        _, state = to_data(self._state)
        found = named("now", weights(self.graph, self._leaves.rows)) | named("searcher", state)
        return found | named("optimizer", self._leaves.moments()) | {"loss": self._loss}

    def note(self) -> str:
        """The rest of the state, as JSON."""
        spent = {"seconds": self.meter.seconds, "cpu_seconds": self.meter.cpu_seconds}
        position = Position(**vars(self.position) | spent)
        plain, _ = to_data(self._state)
        return json.dumps({"position": position.dumps(), "searcher": plain, "trajectory": self.trajectory})

    def restore(self, note: str, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a stored state.

        Raises:
            ResumeError: it is that of another search.
        """
        kept = json.loads(note)
        own = copied(under("searcher", tensors))
        state = from_data(self._strategy.searcher, self.space, kept["searcher"], own)
        load(weights(self.graph, self._leaves.rows), under("now", tensors))
        self._leaves.load_moments(under("optimizer", tensors))
        self._state, self._ahead = state, self._strategy.ahead(state)
        self.trajectory = kept["trajectory"]
        self.position = Position.loads(kept["position"])
        self._loss = tensors["loss"].clone().to(self.table.device)
        self.meter = Meter(self.position.seconds, self.position.cpu_seconds)
        self.meter.bear(1.0)

    def _epoch(self, on_step: Watch | None) -> None:
        place, size = self.position, self.pipeline.train.batch_size
        self.graph.train()
        if place.step == 0:
            self._loss = torch.zeros((), device=self.table.device)
        order = derive_seed(self.seed, "stage", place.stage)
        rows = self.sampling.epoch(order, place.epoch)
        for index in self.table.batches(rows, size, order, place.epoch, start=place.step):
            self._watched(index)
            place.step += 1
            if on_step is not None:
                on_step(self)
        self._close_epoch()

    def _watched(self, index: Tensor) -> None:
        before = generator_states(self.table.device)
        try:
            self._step(index)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise TsunaguError(self._at(f"a batch of {len(index)} events fails: {error}")) from error
        # Other paths have other models, so it is looked at in every step.
        if not all(map(torch.equal, before, generator_states(self.table.device))):
            raise TsunaguError(self._at(DRAWS_GLOBALLY))

    def _step(self, index: Tensor) -> None:
        place, each = self.position, self.steps_per_epoch
        done = place.epoch * each + place.step
        self._leaves.set_rate(done, self.stage.epochs * each)
        noise = derive_seed(self.seed, "noise", place.stage, place.epoch, place.step)
        order = derive_seed(self.seed, "stage", place.stage)
        turn = Turn((derive_seed(order, "condition", place.epoch),), place.step)
        objectives = self._objectives(self.stage.at(place.epoch), noise, turn)
        losses, paths = self._losses(objectives, index, done)
        self._leaves.step(losses, paths, self.stage.tasks)
        self._loss += (losses[0] if len(losses) == 1 else torch.stack(losses).mean()).detach()

    def _objectives(self, stage: Stage, noise: int, turn: Turn | None = None) -> Objectives:
        return Objectives(
            graph=self.graph,
            stage=stage,
            table=self.table,
            noise=self._noise,
            seed=noise,
            sparse=self._strategy.sparse,
            drawn=self._drawn,
            turn=turn,
        )

    def _losses(self, objectives: Objectives, index: Tensor, done: int) -> Trained:
        own, place = self._strategy, self.position
        if not self._is_last:
            return objectives.of_paths(self._alone[place.stage].at(done), index)
        if own.learns and place.epoch >= own.warmup and not own.searcher.done(self._state):
            valid = self._questioned.at(done)
            self._state = own.ask(self._state, objectives, index, valid, self._leaves.rate)
        if self._ahead is not None:
            return objectives.of_paths(self._ahead.at(done), index)
        return own.train(self._state, objectives, index, done)

    @property
    def _is_last(self) -> bool:
        return self.position.stage == len(self.stages) - 1

    def _questions(self, searcher: Any) -> int:
        """Steps of the last stage in which the searcher may ask."""
        return (self.stages[-1].epochs - int(getattr(searcher, "warmup", 0))) * self.steps_per_epoch

    def _close_epoch(self) -> None:
        place, searcher = self.position, self._strategy.searcher
        train = float(self._loss) / max(1, place.step)
        if not math.isfinite(train):
            found = (
                f"the loss is not a number any more ({train}); lower train.optimizer's lr or set train.clip"
            )
            raise TsunaguError(self._at(found))
        if self._is_last and isinstance(searcher, HasDistribution):
            self.trajectory.append(searcher.distribution(self._state))
        place.epoch, place.step = place.epoch + 1, 0
        place.history.append(self._line(train))

    def _line(self, train: float) -> Epoch:
        # No architecture is validated on its own before the end.
        return Epoch(
            stage=self.stage.name,
            epoch=self.position.epoch,
            step=self.position.epoch * self.steps_per_epoch,
            train_loss=train,
            valid_loss=math.nan,
            metric=math.nan,
            seconds=round(self.seconds, 3),
        )

    def _at(self, message: str) -> str:
        return f"{self.stage.name}, epoch {self.position.epoch + 1}: {message}"
