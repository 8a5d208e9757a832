"""One training of a pipeline: its stages, early stopping, and a state that can be stored after any step.

Notable decisions: a step is a pure function of (state, step number), since batch order and noise derive from the seed
and the place; so a resumed training equals the uninterrupted one byte for byte, and no generator is stored. Losses
gather in a tensor that is read once per epoch. The loop is that of a population; this is one of its members.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import final

import torch
from torch import Tensor

from tsunagu.data import Split, Table
from tsunagu.errors import Mistake, ResumeError, SpecError, TsunaguError
from tsunagu.layers import stochastic
from tsunagu.metrics import parse_metric
from tsunagu.random import derive_seed
from tsunagu.spec import Pipeline
from tsunagu.tasks import Graph, Stage, build_graph, fit_stages, sampling_of, scalarisation_of, stages
from tsunagu.train.distributed import here
from tsunagu.train.evaluation import Evaluation, evaluate, predict, reseed_for_evaluation
from tsunagu.train.groups import Member
from tsunagu.train.meter import Meter
from tsunagu.train.population import Population
from tsunagu.train.position import Epoch, Position
from tsunagu.train.sharing import Finished, Stages, stage_key
from tsunagu.train.shifting import Shifts
from tsunagu.train.stacked import Rows
from tsunagu.train.state import copied, load, named, of_tasks, under, weights
from tsunagu.train.stepper import Stepper
from tsunagu.train.synchronised import synchronise

__all__ = ["Training"]

Watch = Callable[["Training"], None]


@final
class Training:
    """A pipeline being trained on one table.

    Args:
        pipeline: without choices.
        table: the events; only its training and validation rows are read. The models live on its device.
        split: which rows are which.
        seed: of initial weights, batch order and noise.

    Attributes:
        graph: the models, an ordinary ``nn.Module``.
        sampling: which events an epoch shows.
        position: the place in the training; its history has one :class:`Epoch` a line.
        meter: what the training has cost.
        origin: what its first weights come from, where the seed alone does not make them.
    """

    def __init__(self, pipeline: Pipeline, table: Table, split: Split, *, seed: int) -> None:
        self.pipeline, self.table, self.split, self.seed = pipeline, table, split, seed
        self.graph: Graph = build_graph(pipeline, seed=seed).to(table.device)
        self._world = here()
        if self._world.size > 1:
            _check_shared(pipeline)
            synchronise(self.graph)
        self.stages = fit_stages(stages(pipeline), table, split)
        self.position = Position()
        rows = {name: Rows([model]).weights[0] for name, model in self.graph.models.items()}
        self.member = Member(pipeline=pipeline, graph=self.graph, rows=rows)
        self.sampling = sampling_of(pipeline, table, split.train)
        self._noise = list(stochastic(self.graph))
        self.noisy = bool(self._noise)
        self._metric = parse_metric(pipeline.metric)
        self._shifts = Shifts(pipeline, table)
        self._best: dict[str, Tensor] = {}
        self._loss = torch.zeros((), device=table.device)
        self._moments: Callable[[], dict[str, Tensor]] = dict
        self.meter = Meter()
        self.origin = ""

    @property
    def stage(self) -> Stage:
        """The stage that is being trained."""
        return self.stages[self.position.stage]

    @property
    def stage_key(self) -> str:
        """The name of the stage that is being trained; see :func:`tsunagu.train.sharing.stage_key`."""
        return stage_key(self.pipeline, self.seed, self.position.stage) + self.origin

    @property
    def done(self) -> bool:
        """Whether the last stage has ended."""
        return self.position.stage >= len(self.stages)

    @property
    def seconds(self) -> float:
        """Its share of the time spent, earlier runs of an interrupted training included; see :class:`Meter`."""
        return self.meter.seconds

    @property
    def position_now(self) -> Position:
        """The place with the time that has been spent until now, as a checkpoint holds it."""
        spent = {"seconds": self.meter.seconds, "cpu_seconds": self.meter.cpu_seconds}
        return Position(**vars(self.position) | spent)

    @property
    def parameters(self) -> dict[str, int]:
        """Trainable parameters by task."""
        return {name: row.numel() for name, row in self.member.rows.items()}

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the training events, as they are sampled."""
        return math.ceil(len(self.sampling) / self.pipeline.train.batch_size)

    @property
    def is_fresh(self) -> bool:
        """Whether the stage begins, and has something to learn."""
        return self.goes_on and self.position.epoch == self.position.step == 0

    @property
    def goes_on(self) -> bool:
        """Whether another epoch of the stage is due."""
        return self._learns and self.position.epoch < self.stage.epochs and not self._is_over()

    def run(
        self, on_step: Watch | None = None, on_epoch: Watch | None = None, stages: Stages | None = None
    ) -> None:
        """Train to the end, as a population of one.

        Args:
            on_step: called after every optimiser step; a place to look at the clock, not at the loss.
            on_epoch: called after every epoch, when the history has a new line.
            stages: what has been trained elsewhere.

        Raises:
            TsunaguError: the loss is not a number any more, a model fails on a batch or draws random numbers that no
                seed reaches; the message names the stage and the epoch.
        """
        Population([self]).run(None if on_step is None else lambda: on_step(self), on_epoch, stages)

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that the next step depends on, by name; with :attr:`position` the whole state.

        They are the training's own and change with its next step.
        """
        state = named("now", weights(self.graph, self.member.rows)) | named("best", self._best)
        return state | named("optimizer", self._moments()) | {"loss": self._loss}

    def restore(self, position: Position, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a stored state.

        Raises:
            ResumeError: the tensors are not those of this pipeline.
        """
        self.position = position
        self.meter = Meter(position.seconds, position.cpu_seconds)
        load(weights(self.graph, self.member.rows), under("now", tensors))
        moments = copied(under("optimizer", tensors))
        self._moments = lambda: moments
        self._best = copied(under("best", tensors))
        self._loss = tensors["loss"].clone().to(self.table.device)

    def begin_with(self, tensors: Mapping[str, Tensor], origin: str) -> None:
        """Begin with other weights than those of the seed.

        Args:
            tensors: the state of the graph.
            origin: their name; trainings that share it, the pipeline and the seed are the same training.

        Raises:
            ResumeError: the tensors are not those of this pipeline.
        """
        try:
            self.graph.load_state_dict(dict(tensors))
        except RuntimeError as error:
            msg = f"the weights of {origin} are not those of this pipeline: {error}"
            raise ResumeError(msg) from error
        self.origin = origin

    def predictions(self, rows: Tensor) -> dict[str, Tensor]:
        """The outputs of all tasks for the given rows ``[N]``, in their order."""
        reseed_for_evaluation(self.graph, self.seed)
        return predict(self.graph, self.table, rows)

    def moments(self) -> dict[str, Tensor]:
        """The optimiser's tensors of this member: of its stepper, or those that were restored."""
        return self._moments()

    def steps_with(self, stepper: Stepper, number: int) -> None:
        """From now on this is the member ``number`` of a stepper."""
        self._moments = lambda: stepper.moments(number)

    def begin_epoch(self) -> Tensor:
        """Training mode; the losses that this epoch has gathered so far, a scalar."""
        self.graph.train()
        return torch.zeros((), device=self.table.device) if self.position.step == 0 else self._loss

    def gathers(self, loss: Tensor) -> None:
        """Where the losses of this epoch are added up, a scalar."""
        self._loss = loss

    def reseed_noise(self) -> None:
        """Set the layers that draw random numbers to where this step begins."""
        place = self.position
        seed = derive_seed(self.seed, "noise", place.stage, place.epoch, place.step)
        for path, layer in self._noise:
            layer.reseed(derive_seed(seed, path))

    def close_epoch(self) -> None:
        """Evaluate, keep the best weights, and write a line of the history.

        Raises:
            TsunaguError: the loss is not a number any more.
        """
        place = self.position
        reseed_for_evaluation(self.graph, self.seed)
        frozen = {name: output.own for name, output in self.member.frozen.items()}
        judged = self.stage.at()
        rows = self.split.validation
        valid = evaluate(self.graph, judged, self._metric, self.table, rows, frozen, self._shifts)
        # Every process decides by the same numbers, also where another processor would round otherwise.
        train, valid = self._world.first_says((float(self._loss) / max(1, place.step), valid))
        self._check_finite(train, valid.loss)
        place.epoch, place.step = place.epoch + 1, 0
        if self.stage.saddle or valid.loss < place.best_loss:
            place.best_loss, place.best_epoch = valid.loss, place.epoch
            self._best = copied(weights(self.graph, self.member.rows))
        place.history.append(self._line(train, valid))

    def end_stage(self) -> None:
        """Go back to the best weights, and on to the next stage."""
        if self._best:
            load(weights(self.graph, self.member.rows), self._best)
        self._best = {}
        self._moments = dict
        self.member.frozen.clear()
        self.position.next_stage()

    def finished(self) -> Finished:
        """What the stage comes to if it ends here; not copies."""
        now = self._best or weights(self.graph, self.member.rows)
        history = [line for line in self.position.history if line.stage == self.stage.name]
        return Finished(weights=of_tasks(now, self.stage.tasks), history=history)

    def take_over(self, finished: Finished) -> None:
        """End the stage with what it came to elsewhere.

        Raises:
            ResumeError: the weights are not those of the stage's tasks; nothing has changed.
        """
        load(of_tasks(weights(self.graph, self.member.rows), self.stage.tasks), finished.weights)
        self.position.history += finished.history
        self.end_stage()

    def at(self, message: str) -> str:
        """A message with the stage and the epoch before it."""
        return f"{self.stage.name}, epoch {self.position.epoch + 1}: {message}"

    @property
    def _learns(self) -> bool:
        # A stage of constant models (controls such as Zero) has nothing to learn.
        return any(self.member.rows[task].numel() for task in self.stage.tasks)

    def _is_over(self) -> bool:
        patience = self.stage.patience
        return patience is not None and self.position.epoch - self.position.best_epoch >= patience

    def _check_finite(self, train: float, valid: float) -> None:
        if not math.isfinite(train) or not math.isfinite(valid):
            found = (
                f"the loss is not a number any more (training {train}, validation {valid}); lower "
                "train.optimizer's lr or set train.clip, such as clip: 1.0"
            )
            raise TsunaguError(self.at(found))

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


def _check_shared(pipeline: Pipeline) -> None:
    found = scalarisation_of(pipeline)
    if found is not None:
        rule = f"{found.key} needs the mean losses of events that several processes would share; train in one process"
        raise SpecError([Mistake(("train", "scalarise"), rule)])
