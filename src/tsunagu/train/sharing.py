"""Which stages of which trainings are the same training, and what one leaves that the others can take over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from torch import Tensor

from tsunagu.spec import Condition, Node, Pipeline, Value, digest, walk
from tsunagu.tasks import Stage, aggregator_of, scalarisation_of, stages
from tsunagu.train.position import Epoch

if TYPE_CHECKING:
    from tsunagu.train.training import Training

__all__ = ["Finished", "Stages", "frozen_key", "shared", "stage_inputs", "stage_key"]


@final
@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a stage has come to.

    Args:
        weights: of the stage's tasks at the best epoch, by name as in :func:`tsunagu.train.state.weights`.
        history: its lines.
    """

    weights: Mapping[str, Tensor]
    history: Sequence[Epoch]


class Stages(ABC):
    """Where finished stages are kept, so that none is trained twice."""

    @abstractmethod
    def find(self, training: Training) -> Finished | None:
        """What the stage at whose beginning a training stands has come to elsewhere, or None."""

    @abstractmethod
    def keep(self, trainings: Sequence[Training]) -> None:
        """Keep what the stage has come to that these trainings have just ended."""


def shared(members: Sequence[Training]) -> dict[Training, list[Training]]:
    """The members whose present stage is a training of its own, each with those for which it is the same one."""
    leaders: dict[str, Training] = {}
    found: dict[Training, list[Training]] = {}
    for member in members:
        leader = leaders.setdefault(member.stage_key, member)
        found.setdefault(leader, []).extend([member] if member is not leader else [])
    return found


def stage_key(pipeline: Pipeline, seed: int, number: int) -> str:
    """A name for a stage: on the same events, stages of one name are the same training and have the same result.

    Args:
        pipeline: without choices.
        seed: of the training.
        number: of the stage, from 0.

    >>> from tsunagu.spec import LossTerm, Task, node
    >>> first = Task(inputs=["jet"], output="tau", model=node("Linear", 4, 3), loss=LossTerm(key="mse", target="truth"))
    >>> def chain(second):
    ...     loss = LossTerm(key="binary", target="label")
    ...     last = Task(inputs=["tau"], output="score", model=second, loss=loss)
    ...     return Pipeline(tasks={"calibrate": first, "classify": last}, metric="auc(score, label)")
    >>> one, other = chain(node("Linear", 3, 1)), chain(node("MLP", hidden=[8]))
    >>> [stage_key(one, 1, number) == stage_key(other, 1, number) for number in range(3)]
    [True, False, False]
    """
    return digest([seed, stage_inputs(pipeline, number)])


def frozen_key(pipeline: Pipeline, seed: int, number: int) -> str:
    """A name for the models that a stage reads but does not train; those of one name have the same outputs."""
    return digest([seed, _tasks(pipeline, stages(pipeline)[number].frozen, number)])


def stage_inputs(pipeline: Pipeline, number: int) -> dict[str, Value]:
    """All that the result of a stage depends on beside the events and the seed, with the stages before it that matter.

    Args:
        pipeline: without choices.
        number: of the stage, from 0; the order of events and the noise derive from it.
    """
    stage, train = stages(pipeline)[number], pipeline.train
    drawn = [
        value for _, value in walk([pipeline.tasks, pipeline.conditions]) if isinstance(value, Condition)
    ]
    return {
        # All of them, since each is a number more that every network with sites sees.
        **({"conditions": drawn} if drawn else {}),
        "stage": [number, stage.name, stage.epochs, stage.patience, dict(stage.substitutes)],
        "losses": _losses(pipeline, stage),
        **_aggregate(pipeline, stage),
        "steps": [train.batch_size, train.optimizer, train.schedule, train.clip],
        "shown": [train.sampling, train.augment],
        "metric": pipeline.metric,
        "tasks": _tasks(pipeline, stage.tasks, number),
        "frozen": _tasks(pipeline, stage.frozen, number),
    }


def _losses(pipeline: Pipeline, stage: Stage) -> list[Value]:
    own = [loss for name in stage.tasks for loss in pipeline.tasks[name].losses]
    settings = [[loss.key, loss.args] for loss in own]
    imported = [
        Node(loss.key) for loss in own if ":" in loss.key
    ]  # as nodes, by which their source files are found
    timed = [[term.given, term.factor, term.timed] for term in stage.terms]
    return [
        settings,
        [[term.output, *term.columns, term.weight] for term in stage.terms],
        *([timed] if any(map(any, timed)) else []),
        *([imported] if imported else []),
    ]


def _aggregate(pipeline: Pipeline, stage: Stage) -> dict[str, Value]:
    """How its losses are combined, where they are: a stage that has one loss is the same training under all aggregators.

    A scalarisation also makes events share their draws of the weights, in every stage.
    """
    made, scalarised = aggregator_of(pipeline, stage), scalarisation_of(pipeline) is not None
    found = {} if made is None else {"aggregate": pipeline.train.aggregate}
    return found | ({"scalarise": pipeline.train.scalarise} if scalarised else {})


def _tasks(pipeline: Pipeline, names: Sequence[str], number: int) -> dict[str, Value]:
    """For each task its model, what it reads and makes, and the training that its weights come from, if there is one."""
    earlier = stages(pipeline)[:number]
    found: dict[str, Value] = {}
    for name in names:
        task = pipeline.tasks[name]
        trained = [place for place, stage in enumerate(earlier) if name in stage.tasks]
        origin = stage_inputs(pipeline, trained[-1]) if trained else None
        found[name] = [task.model, task.inputs, task.output, origin]
    return found
