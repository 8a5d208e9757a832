"""What a study file may say: frozen models, the same in Python and in YAML.

The numbers, switches and names that make up a pipeline may also be a :class:`~tsunagu.spec.Choice`; what the pipeline
is trained and judged on (``data``, ``metric``, ``seeds``) may not, because every architecture must meet the same events.
Legend: a *path* is the dotted way to a value, such as ``train.optimizer.args.lr``.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StrictInt,
    Tag,
)
from pydantic_core import PydanticCustomError

from tsunagu.errors import Mistake
from tsunagu.spec.analysis import Analysis
from tsunagu.spec.data import Data, Folds
from tsunagu.spec.fields import (
    VERSION,
    AnyArgs,
    AnyConditions,
    AnyNode,
    AnySchedule,
    AnyValue,
    Bool,
    Device,
    Inputs,
    Name,
    OrChoice,
    OrParameter,
    PositiveFloat,
    PositiveInt,
    Seeds,
    Text,
    Variations,
    Version,
    Weight,
    one_or_many,
)
from tsunagu.spec.model import Model
from tsunagu.spec.nodes import Node, Value
from tsunagu.spec.parameters import Condition, Schedule
from tsunagu.spec.searches import AnySearch
from tsunagu.spec.systematics import AnySystematic

__all__ = ["Data", "Folds", "LossTerm", "Pipeline", "Study", "Task", "Train", "loss"]


class LossTerm(Model):
    """One loss of a task: which function, of which target, with which weight in the sum.

    Args:
        key: of the loss, such as ``binary``.
        target: the column that supervises the output.
        weight: in the sum of all losses; 0 or more.
        args: settings of the loss itself, such as ``{delta: 2.0}`` of ``huber``.

    Each number may also be a :class:`~tsunagu.spec.Condition`, which is chosen after the training, or a
    :class:`~tsunagu.spec.Schedule`.

    >>> LossTerm(key="binary", target="is_higgs").weight
    1.0
    """

    key: Text
    target: Text
    weight: Annotated[Weight, OrParameter(), OrChoice()] = 1.0
    args: AnyArgs = {}


def loss(key: str, /, *, target: str, weight: float | Condition | Schedule = 1.0, **args: Value) -> LossTerm:
    """One loss of a task, as :class:`LossTerm` with the function's own settings as keyword arguments.

    Raises:
        SpecError: a negative weight, or what else cannot stand in a study file.

    >>> loss("huber", target="true_pt", weight=0.5, delta=2.0)
    LossTerm(key='huber', target='true_pt', weight=0.5, args={'delta': 2.0})
    """
    return LossTerm(key=key, target=target, weight=weight, args=args)


Losses = Annotated[
    Annotated[LossTerm, Tag("<one>")] | Annotated[list[LossTerm], Tag("<many>")],
    Discriminator(one_or_many),
]


class Task(Model):
    """Inputs -> model -> output, with the losses that supervise it.

    Args:
        inputs: names of columns or of other tasks' outputs; as a mapping, argument of ``forward`` -> name.
        output: the name under which the prediction joins the batch.
        model: a node, a list of nodes in sequence, or a choice between such.
        loss: one loss or several, which are added; an empty list for a task that only the losses of later tasks
            train.

    >>> Task(inputs=["tau_p4"], output="score", model=Node("LSTM"), loss=LossTerm(key="binary", target="label")).losses
    [LossTerm(key='binary', target='label', weight=1.0, args={})]
    """

    inputs: Inputs
    output: Name
    model: AnyValue
    loss: Losses

    @property
    def losses(self) -> list[LossTerm]:
        """The losses, as a list in either case."""
        return self.loss if isinstance(self.loss, list) else [self.loss]


class Train(Model):
    """How a pipeline is trained.

    Args:
        pretrain: train each task alone on the truth first.
        intermediate: keep the losses of intermediate outputs; false is end to end: no truth of an intermediate
            output enters anywhere, so nothing is pretrained either.
        joint: train all tasks together at the end; false trains each task after the ones before it instead, on what
            these make of each event, and leaves these as they are. It needs ``pretrain`` and ``intermediate``.
        epochs: at most so many passes over the training events with all tasks together, or after the others.
        pretrain_epochs: the same for each task alone; as ``epochs`` by default.
        batch_size: events in a step.
        optimizer: a class of ``torch.optim``.
        schedule: the learning rate against time: constant, cosine, exponential, steps, warmup.
        patience: stop a stage after so many epochs without a better validation loss; null for never.
        sampling: which events an epoch shows: ``natural`` (all once), ``balanced``, ``square_root``, ``undersample`` or
            ``oversample``; by the classes of ``{key: balanced, args: {by: label}}``, a column or a loss by its key, or of the only
            target with classes.
        augment: changes of the events that are trained on, in order, such as ``{key: flip_eta}``.
        aggregate: how several losses become one update: ``sum`` (each times its weight), ``mgda``, ``gradnorm``, or TorchJD's
            by name, such as ``UPGrad`` or ``UW``; see :class:`tsunagu.losses.Aggregator`.
        clip: largest norm of the gradient; null for no limit.
        checkpoint_seconds: how often the state is stored.
    """

    pretrain: Bool = True
    intermediate: Bool = True
    joint: Bool = True
    epochs: Annotated[StrictInt, Field(ge=0), OrChoice()] = 20
    pretrain_epochs: Annotated[Annotated[StrictInt, Field(ge=0)] | None, OrChoice()] = None
    batch_size: Annotated[PositiveInt, OrChoice()] = 256
    optimizer: AnyNode = Node("Adam", {"lr": 1e-3})
    schedule: AnySchedule = None
    patience: Annotated[PositiveInt | None, OrChoice()] = 5
    sampling: AnyNode = Node("natural")
    augment: list[AnyNode] = []
    aggregate: AnyNode = Node("sum")
    clip: Annotated[PositiveFloat | None, OrChoice()] = None
    checkpoint_seconds: Weight = 30.0


def _without_dots(tasks: dict[str, Task]) -> dict[str, Task]:
    rule = "the name of a task has at least one letter and no '.', which separates the steps of a path"
    mistakes = [Mistake((name,), f"{rule}; found '{name}'") for name in tasks if "." in name or not name]
    if mistakes:
        raise PydanticCustomError("value", "names of tasks", {"mistakes": mistakes})
    return tasks


Tasks = Annotated[dict[str, Task], Field(min_length=1), AfterValidator(_without_dots)]


class Pipeline(Model):
    """A graph of tasks and how it is trained.

    Args:
        tasks: by name; a task's input that equals another one's output is an edge.
        train: stages, optimiser, patience.
        metric: what is reported first, such as ``auc(score, is_higgs)``.
        metrics: what is reported beside it.
        conditions: physics parameters of the events, ``{condition: mass, uniform: [100, 200], column: true_mass}``; those
            that losses read are declared where they stand.
    """

    UNSAID: ClassVar[tuple[str, ...]] = ("conditions",)

    tasks: Tasks
    train: Train = Train()
    metric: Name
    metrics: list[Name] = []
    conditions: AnyConditions = []


class Study(Model):
    """A study file: events, a pipeline, and what is varied.

    Args:
        version: of this format.
        name: the heading of tables and figures; the folder of the results by default.
        data: see :class:`Data`.
        tasks: see :class:`Pipeline`, as the three that follow.
        train: see :class:`Train`.
        metric: the first metric.
        metrics: further metrics.
        conditions: see :class:`Pipeline`.
        baselines: numbers to beat: a name, and a metric of columns.
        methods: for a label, values by path that are set together.
        vary: for a path, a value by label; several paths, and the methods, give all combinations.
        seeds: how many, or which.
        search: how the architecture is found, see :class:`Search`; without, every one is trained, and for each seed the best
            on the validation events is taken.
        executor: where trials run: ``in_process`` (without), ``processes``, or ``dask`` with its arguments.
        device: what trials compute on: ``cpu``, ``cuda``, one GPU as ``cuda:1``, or ``auto``: a GPU where there is one.
        analysis: from the score to a measurement, see :class:`Analysis`; no part of any training.
        systematics: the uncertainties of the measurement, by name.

    The models are frozen; the lists and mappings inside them are not locked and must not be changed either.
    """

    UNSAID: ClassVar[tuple[str, ...]] = ("conditions",)

    version: Version = VERSION
    name: Name | None = None
    data: Data
    tasks: Tasks
    train: Train = Train()
    metric: Name
    metrics: list[Name] = []
    conditions: AnyConditions = []
    baselines: dict[str, Name] = {}
    methods: Variations = {}
    vary: Variations = {}
    seeds: Seeds = 1
    search: AnySearch = None
    executor: AnySchedule = None
    device: Device = "cpu"
    analysis: Analysis | None = None
    systematics: dict[Name, AnySystematic] = {}

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline inside the study."""
        return Pipeline(
            tasks=self.tasks,
            train=self.train,
            metric=self.metric,
            metrics=self.metrics,
            conditions=self.conditions,
        )
