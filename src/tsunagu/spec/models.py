"""What a study file may say: frozen models, the same in Python and in YAML.

Any scalar may also be a :class:`~tsunagu.spec.Choice`. Legend: a *path* is the dotted way to a value, such as
``train.optimizer.args.lr``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from tsunagu.spec.nodes import Choice, Node, to_data
from tsunagu.spec.values import validate_node, validate_value

__all__ = ["Data", "Folds", "LossTerm", "Pipeline", "Study", "Task", "Train"]

CHOICE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["choice"],
    "additionalProperties": False,
    "properties": {
        "choice": {"anyOf": [{"type": "object", "minProperties": 1}, {"type": "array", "minItems": 1}]},
        "name": {"type": ["string", "null"]},
    },
}
NODE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["key"],
    "additionalProperties": False,
    "properties": {"key": {"type": "string"}, "args": {"type": ["object", "array"]}},
}


class _OrChoice:
    """Lets a choice stand in place of a scalar."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_or_choice, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema["schema"]), CHOICE_SCHEMA]}


def _or_choice(data: Any, validate: Any) -> Any:
    if isinstance(data, Choice) or (isinstance(data, Mapping) and "choice" in data):
        return validate_value(data)
    return validate(data)


Bool = Annotated[StrictBool, _OrChoice()]
AnyValue = Annotated[Any, BeforeValidator(validate_value), WithJsonSchema({})]
AnyNode = Annotated[
    Any,
    BeforeValidator(validate_node),
    WithJsonSchema({"anyOf": [{"type": "string"}, NODE_SCHEMA, CHOICE_SCHEMA]}),
]


def _one_or_many(data: Any) -> str:
    return "<many>" if isinstance(data, list | tuple) else "<one>"


def _list_or_mapping(data: Any) -> str:
    return "<mapping>" if isinstance(data, Mapping) else "<list>"


def _number_or_list(data: Any) -> str:
    return "<many>" if isinstance(data, list | tuple) else "<one>"


Texts = Annotated[
    Annotated[StrictStr, Tag("<one>")] | Annotated[list[StrictStr], Tag("<many>")],
    Discriminator(_one_or_many),
]
Inputs = Annotated[
    Annotated[list[StrictStr], Tag("<list>")] | Annotated[dict[str, StrictStr], Tag("<mapping>")],
    Discriminator(_list_or_mapping),
]
Seeds = Annotated[
    Annotated[StrictInt, Field(ge=1), Tag("<one>")]
    | Annotated[list[Annotated[StrictInt, Field(ge=0)]], Field(min_length=1), Tag("<many>")],
    Discriminator(_number_or_list),
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Folds(_Model):
    """Folds by a hash of the event number: one for the test, one for validation, the rest for training.

    >>> Folds(k=10).validation
    1
    """

    k: Annotated[StrictInt, Field(ge=3)] = 5
    test: Annotated[StrictInt, Field(ge=0)] = 0
    validation: Annotated[StrictInt, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if max(self.test, self.validation) >= self.k:
            found = {"found": f"test {self.test} and validation {self.validation}", "k": self.k}
            raise PydanticCustomError(
                "value", "folds are numbered 0 to k - 1 with k = {k}, found {found}", found
            )
        if self.test == self.validation:
            found = {"found": self.test}
            raise PydanticCustomError(
                "value", "test and validation must be different folds, found {found} twice", found
            )
        return self


class Data(_Model):
    """Where the events are and what their columns are called.

    Args:
        files: one name, a glob, or a list; relative to the study file; ``ready:htautau`` is the shipped sample.
        columns: new columns: another name for one, or several stacked on the last axis.
        weight: the column of the physics weight, for metrics and plots; 1 without.
        train_weight: the column of the training weight, for losses; the absolute physics weight without.
        event_number: the column that decides the fold.
        folds: how events are split.
    """

    files: Texts
    columns: dict[str, Texts] = {}
    weight: StrictStr | None = None
    train_weight: StrictStr | None = None
    event_number: StrictStr = "event_number"
    folds: Folds = Folds()


class LossTerm(_Model):
    """One loss of a task: which function, of which target, with which weight in the sum.

    >>> LossTerm(key="binary", target="is_higgs").weight
    1.0
    """

    key: StrictStr
    target: StrictStr
    weight: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False), _OrChoice()] = 1.0
    args: AnyValue = {}


Losses = Annotated[
    Annotated[LossTerm, Tag("<one>")] | Annotated[list[LossTerm], Field(min_length=1), Tag("<many>")],
    Discriminator(_one_or_many),
]


class Task(_Model):
    """Inputs -> model -> output, with the losses that supervise it.

    Args:
        inputs: names of columns or of other tasks' outputs; as a mapping, argument of ``forward`` -> name.
        output: the name under which the prediction joins the batch.
        model: a node, a list of nodes in sequence, or a choice between such.
        loss: one loss or several, which are added.
    """

    inputs: Inputs
    output: StrictStr
    model: AnyValue
    loss: Losses

    @property
    def losses(self) -> list[LossTerm]:
        """The losses, as a list in either case."""
        return self.loss if isinstance(self.loss, list) else [self.loss]


class Train(_Model):
    """How a pipeline is trained.

    Args:
        pretrain: train each task alone on the truth first.
        intermediate: keep the losses of intermediate outputs; false is end to end: no truth of an intermediate
            output enters anywhere, so nothing is pretrained either.
        epochs: at most so many passes over the training events with all tasks together.
        pretrain_epochs: the same for each task alone; as ``epochs`` by default.
        batch_size: events in a step.
        optimizer: a class of ``torch.optim``.
        schedule: the learning rate against time: constant, cosine, exponential, steps, warmup.
        patience: stop a stage after so many epochs without a better validation loss; null for never.
        clip: largest norm of the gradient; null for no limit.
        checkpoint_seconds: how often the state is stored.
    """

    pretrain: Bool = True
    intermediate: Bool = True
    epochs: Annotated[StrictInt, Field(ge=0), _OrChoice()] = 20
    pretrain_epochs: Annotated[StrictInt, Field(ge=0), _OrChoice()] | None = None
    batch_size: Annotated[StrictInt, Field(ge=1), _OrChoice()] = 256
    optimizer: AnyNode = Node("Adam", {"lr": 1e-3})
    schedule: AnyNode | None = None
    patience: Annotated[StrictInt, Field(ge=1), _OrChoice()] | None = 5
    clip: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False), _OrChoice()] | None = None
    checkpoint_seconds: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 30.0


class Pipeline(_Model):
    """A graph of tasks and how it is trained.

    Args:
        tasks: by name; a task's input that equals another one's output is an edge.
        train: stages, optimiser, patience.
        metric: what is reported first, such as ``auc(score, is_higgs)``.
        metrics: what is reported beside it.
    """

    tasks: Annotated[dict[str, Task], Field(min_length=1)]
    train: Train = Train()
    metric: StrictStr
    metrics: list[StrictStr] = []


class Study(_Model):
    """A study file: events, a pipeline, and what is varied.

    Args:
        version: of this format.
        data: see :class:`Data`.
        tasks: see :class:`Pipeline`, as the three that follow.
        train: see :class:`Train`.
        metric: the first metric.
        metrics: further metrics.
        baselines: numbers to beat: a name, and a metric of columns.
        vary: for a path, a value by label; several paths give all combinations.
        seeds: how many, or which.
    """

    version: Annotated[StrictInt, Field(ge=1, le=1)] = 1
    data: Data
    tasks: Annotated[dict[str, Task], Field(min_length=1)]
    train: Train = Train()
    metric: StrictStr
    metrics: list[StrictStr] = []
    baselines: dict[str, StrictStr] = {}
    vary: Annotated[dict[str, Annotated[dict[str, Any], Field(min_length=1)]], BeforeValidator(to_data)] = {}
    seeds: Seeds = 1

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline inside the study."""
        return Pipeline(tasks=self.tasks, train=self.train, metric=self.metric, metrics=self.metrics)
