"""Which losses reach which tasks, and what can be found wrong with an aggregator before an event is read.

An *objective* is one loss of one task in a stage, times its weight. A loss reaches the task whose output it judges and all that this
output is made of, and not the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.losses import (
    LINEAR,
    SCALARISATIONS,
    SUM,
    Aggregator,
    BatchLoss,
    find_aggregator,
    find_loss,
    make_aggregator,
    make_scalarisation,
)
from tsunagu.spec import Pipeline, Task, options, resolve, some_architectures
from tsunagu.tasks.build import check_arguments, reason
from tsunagu.tasks.conditions import conditions_of
from tsunagu.tasks.scalarising import weights_of
from tsunagu.tasks.stages import Stage, stages

__all__ = [
    "Reach",
    "aggregator_of",
    "check_aggregate",
    "check_conditioned_weights",
    "check_scalarise",
    "reach",
]

AGGREGATE: Path = ("train", "aggregate")
SCALARISE: Path = ("train", "scalarise")


@final
@dataclass(frozen=True, kw_only=True)
class Reach:
    """The tasks of a stage by the losses that reach them.

    Args:
        shared: reached by at least two; their weights follow what the aggregator says.
        own: for each objective, the tasks that it alone reaches.
        features: for each objective, the outputs of shared tasks that it reads, itself or through its own tasks.
    """

    shared: tuple[str, ...]
    own: tuple[tuple[str, ...], ...]
    features: tuple[tuple[str, ...], ...]


def reach(pipeline: Pipeline, stage: Stage) -> Reach:
    """Which losses reach which tasks of a stage.

    >>> from tsunagu.spec import LossTerm, node
    >>> first = Task(inputs=["jet"], output="tau", model=node("ReLU"), loss=LossTerm(key="mse", target="true_tau"))
    >>> second = Task(inputs=["tau"], output="score", model=node("ReLU"), loss=LossTerm(key="mse", target="is_higgs"))
    >>> chain = Pipeline(tasks={"calibrate": first, "classify": second}, metric="auc(score, is_higgs)")
    >>> reach(chain, stages(chain)[-1])
    Reach(shared=('calibrate',), own=((), ('classify',)), features=(('tau',), ('tau',)))
    """
    makers = {pipeline.tasks[name].output: name for name in stage.tasks}
    found = [_behind(pipeline, stage, makers, makers[term.output]) for term in stage.terms]
    count = {name: sum(name in tasks for tasks in found) for name in stage.tasks}
    shared = tuple(name for name in stage.tasks if count[name] > 1)
    own = tuple(tuple(n for n in stage.tasks if n in tasks and count[n] == 1) for tasks in found)
    made = [pipeline.tasks[name].output for name in shared]
    read = [
        {term.output, *(column for name in tasks for column in _inputs(pipeline.tasks[name]))}
        for term, tasks in zip(stage.terms, own, strict=True)
    ]
    features = tuple(tuple(name for name in made if name in names) for names in read)
    return Reach(shared=shared, own=own, features=features)


def aggregator_of(pipeline: Pipeline, stage: Stage) -> Aggregator | None:
    """What combines the losses of a stage; None for their plain sum, and where there is nothing to combine.

    A stage of one loss is trained on that loss, as is one whose losses share no task where the aggregator reads gradients.
    """
    node = pipeline.train.aggregate
    if node.key == SUM or len(stage.terms) < 2:
        return None
    made = make_aggregator(node.key, node.args)
    return made if made.reads == "losses" or reach(pipeline, stage).shared else None


def check_aggregate(pipeline: Pipeline) -> list[Mistake]:
    """The mistakes in ``train.aggregate``: an unknown name, wrong settings, nothing to combine.

    >>> from tsunagu.spec import LossTerm, Train, node
    >>> task = Task(inputs=["x"], output="y", model=node("Linear", 2, 1), loss=LossTerm(key="mse", target="t"))
    >>> for key in ("mdga", "mgda"):
    ...     chain = Pipeline(tasks={"fit": task}, train=Train(aggregate=node(key)), metric="mse(y, t)")
    ...     print(*check_aggregate(chain))
    train.aggregate.key: unknown aggregator 'mdga' (did you mean 'mgda'?)
    train.aggregate: mgda combines several losses, but no stage has more than one; leave it out, or give an output another loss
    """
    found = list(options(pipeline.train.aggregate, AGGREGATE))
    mistakes = [mistake for path, node in found for mistake in _check(node, path)]
    if mistakes or all(node.key == SUM for _, node in found):
        return mistakes
    # Each option of each choice, and not all combinations: there may be more of them than can be looked at.
    plain = (resolve(pipeline, architecture) for architecture in some_architectures(pipeline))
    return list(dict.fromkeys(mistake for each in plain for mistake in _check_stages(each)))


def check_conditioned_weights(pipeline: Pipeline, places: Iterable[Path]) -> list[Mistake]:
    """That no aggregator sets the weights of losses which are to be chosen after the training.

    Args:
        pipeline: choices are allowed.
        places: where a weight of a loss is a condition.
    """
    keys = [node.key for _, node in options(pipeline.train.aggregate) if node.key != SUM]
    found = "this weight is a condition, and train.aggregate: {key} sets the weights itself; {remedy}, or give the weight as a number"
    remedies = dict.fromkeys(keys, "take aggregate: sum") | {
        key: f"take train.scalarise: {key.lower()} in its place"
        for key in keys
        if key.lower() in SCALARISATIONS
    }
    return [
        Mistake(place, found.format(key=key, remedy=remedy))
        for place in places
        for key, remedy in remedies.items()
    ]


def check_scalarise(pipeline: Pipeline) -> list[Mistake]:
    """The mistakes in ``train.scalarise``: unknown, wrong settings, nothing to scalarise, an aggregator beside it.

    Args:
        pipeline: choices are allowed.

    >>> from tsunagu.spec import LossTerm, Train, node
    >>> task = Task(inputs=["x"], output="y", model=node("Linear", 2, 1), loss=LossTerm(key="mse", target="t"))
    >>> for key in ("stsh", "stch"):
    ...     chain = Pipeline(tasks={"fit": task}, train=Train(scalarise=node(key)), metric="mse(y, t)")
    ...     print(*check_scalarise(chain))
    train.scalarise.key: unknown scalarisation 'stsh' (did you mean 'stch'?)
    train.scalarise: stch makes one number of several losses, but no stage has more than one; leave it out, or give an output another loss
    """
    found = [(p, node) for p, node in options(pipeline.train.scalarise, SCALARISE) if node is not None]
    mistakes = [mistake for path, node in found for mistake in _check_scalarisation(node, path)]
    if mistakes or all(node.key == LINEAR for _, node in found):
        return mistakes
    plain = (resolve(pipeline, architecture) for architecture in some_architectures(pipeline))
    return list(dict.fromkeys(mistake for each in plain for mistake in _check_scalarised(each)))


def _behind(pipeline: Pipeline, stage: Stage, makers: Mapping[str, str], name: str) -> set[str]:
    """A task and those that its output is made of, where no column stands in for theirs."""
    read = [column for column in _inputs(pipeline.tasks[name]) if column not in stage.substitutes]
    before = [makers[column] for column in read if column in makers]
    return {name}.union(*(_behind(pipeline, stage, makers, each) for each in before))


def _inputs(task: Task) -> Sequence[str]:
    return list(task.inputs.values()) if isinstance(task.inputs, Mapping) else task.inputs


def _check(node: Any, path: Path) -> list[Mistake]:
    try:
        mistakes = check_arguments(find_aggregator(node.key), node.args, path)
        if not mistakes:
            make_aggregator(node.key, node.args)
    except LookupError as error:
        return [Mistake((*path, "key"), str(error.args[0]))]
    except (ValueError, TypeError, RuntimeError, NotImplementedError) as error:
        return [Mistake((*path, "args"), reason(error))]
    return mistakes


def _check_stages(pipeline: Pipeline) -> list[Mistake]:
    key = pipeline.train.aggregate.key
    if key == SUM:
        return []
    several = _several(pipeline)
    if several is None:
        return []
    if not several:
        remedy = "leave it out, or give an output another loss"
        return [
            Mistake(AGGREGATE, f"{key} combines several losses, but no stage has more than one; {remedy}")
        ]
    made = [(stage, aggregator_of(pipeline, stage)) for stage in several]
    if not any(aggregator for _, aggregator in made):
        remedy = "no two losses reach one task, so there is nothing to trade off"
        return [Mistake(AGGREGATE, f"{key}: {remedy}; leave it out")]
    return [m for stage, aggregator in made if aggregator is not None for m in _try(aggregator, stage)]


def _several(pipeline: Pipeline) -> list[Stage] | None:
    """The stages of several losses; None where tasks or losses are wrong, which is told about elsewhere."""
    try:
        return [stage for stage in stages(pipeline) if len(stage.terms) > 1]
    except (SpecError, LookupError, ValueError, TypeError, KeyError):
        return None


def _check_scalarisation(node: Any, path: Path) -> list[Mistake]:
    try:
        make_scalarisation(node.key, node.args)
    except LookupError as error:
        return [Mistake((*path, "key"), str(error.args[0]))]
    except (ValueError, TypeError) as error:
        return [Mistake((*path, "args"), reason(error))]
    return []


def _check_scalarised(pipeline: Pipeline) -> Iterator[Mistake]:
    node, train = pipeline.train.scalarise, pipeline.train
    if node is None or node.key == LINEAR:
        return
    if _several(pipeline) == []:
        remedy = "leave it out, or give an output another loss"
        yield Mistake(
            SCALARISE,
            f"{node.key} makes one number of several losses, but no stage has more than one; {remedy}",
        )
    if train.aggregate.key != SUM:
        rule = f"{node.key} and train.aggregate: {train.aggregate.key} both say what several losses become; leave one of them out"
        yield Mistake(SCALARISE, rule)
    for key in _of_batches(pipeline):
        yield Mistake(
            SCALARISE, f"{node.key} is of losses of events, and {key} is one of whole batches; take linear"
        )
    for declared in conditions_of(pipeline).each:
        if declared.column is not None and declared.name in weights_of(pipeline):
            rule = f"the weight '{declared.name}' is each event's own, from the column {declared.column}"
            yield Mistake(
                SCALARISE,
                f"{rule}, but {node.key} is of mean losses over events that share theirs; take linear",
            )
    events = make_scalarisation(node.key, node.args).events
    if weights_of(pipeline) and train.batch_size % events:
        rule = f"batches of {train.batch_size} are not made of groups of {events} events that share their weights"
        yield Mistake((*SCALARISE, "args"), f"{rule}; set events to a divisor of train.batch_size")


def _of_batches(pipeline: Pipeline) -> list[str]:
    keys = dict.fromkeys(term.key for task in pipeline.tasks.values() for term in task.losses)
    return [key for key in keys if issubclass(find_loss(key), BatchLoss)]


def _try(aggregator: Aggregator, stage: Stage) -> list[Mistake]:
    try:
        aggregator.begin(len(stage.terms))
    except (ValueError, TypeError, RuntimeError, IndexError) as error:
        found = f"does not fit the {len(stage.terms)} losses of the stage '{stage.name}': {reason(error)}"
        return [Mistake((*AGGREGATE, "args"), found)]
    return []
