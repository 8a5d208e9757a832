"""Tasks as a graph: edges are names, and what is wrong with them can be seen without an event."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from tsunagu.errors import Mistake, Path, SpecError, did_you_mean
from tsunagu.spec.models import Pipeline, Task
from tsunagu.spec.nodes import Node, Value, options, walk

__all__ = ["REVERSAL", "adversaries", "all_inputs", "check_graph", "order", "supervisors", "targets"]

REVERSAL = "GradientReversal"
"""The key of the layer behind which a loss works against what is before it."""
DECORRELATING = ("disco",)
"""Losses whose target is what an output shall not tell, and so no truth."""


def order(pipeline: Pipeline) -> list[str]:
    """The names of the tasks, each after those whose outputs it reads.

    Raises:
        SpecError: the tasks wait for each other in a circle.

    >>> from tsunagu.spec import LossTerm, Task, node
    >>> first = Task(inputs=["jet"], output="tau", model=node("MLP"), loss=LossTerm(key="mse", target="true_tau"))
    >>> second = Task(inputs=["tau"], output="score", model=node("MLP"), loss=LossTerm(key="mse", target="label"))
    >>> order(Pipeline(tasks={"classify": second, "calibrate": first}, metric="auc(score, label)"))
    ['calibrate', 'classify']
    """
    makers = {task.output: name for name, task in pipeline.tasks.items()}
    edges = {
        name: [makers[column] for _, column in _inputs(name, task) if column in makers]
        for name, task in pipeline.tasks.items()
    }
    try:
        return list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        raise SpecError([_circle(pipeline, error.args[1])]) from error


def supervisors(pipeline: Pipeline) -> dict[str, str]:
    """For each output that has a loss, the column that supervises it: the target of its task's first loss."""
    return {task.output: task.losses[0].target for task in pipeline.tasks.values() if task.losses}


def targets(pipeline: Pipeline) -> set[str]:
    """The columns that hold a truth, as they supervise a task; where one is left to choose, all its options.

    What an adversary or a decorrelating loss is shown is none: a mass may be an input that the score shall not tell.
    """
    against = adversaries(pipeline)
    terms = [loss for name, task in pipeline.tasks.items() if name not in against for loss in task.losses]
    truth = [loss for loss in terms if loss.key not in DECORRELATING]
    return {column for loss in truth for _, column in options(loss.target)}


def adversaries(pipeline: Pipeline) -> set[str]:
    """The tasks whose losses work against the tasks before them: those with a ``GradientReversal`` in their model.

    >>> from tsunagu.spec import LossTerm, Task, node
    >>> domain = LossTerm(key="binary", target="is_data")
    >>> task = Task(inputs=["features"], output="domain", model=[node("GradientReversal"), node("MLP")], loss=domain)
    >>> adversaries(Pipeline(tasks={"adversary": task}, metric="auc(domain, is_data)"))
    {'adversary'}
    """
    return {
        name
        for name, task in pipeline.tasks.items()
        if any(isinstance(part, Node) and part.key.startswith(REVERSAL) for _, part in walk(task.model))
    }


def all_inputs(pipeline: Pipeline) -> list[tuple[Path, str]]:
    """Every input of every task with its path."""
    return [pair for name, task in pipeline.tasks.items() for pair in _inputs(name, task)]


def check_graph(pipeline: Pipeline, columns: set[str] | None = None) -> list[Mistake]:
    """Unknown names, circles, outputs that clash, truth that leaks into an input, and truth that is missing.

    Args:
        pipeline: its names are checked; choices are allowed.
        columns: of the table; None leaves unknown inputs unreported.

    >>> from tsunagu.spec import LossTerm, Task, node
    >>> task = Task(inputs=["jte"], output="score", model=node("MLP"), loss=LossTerm(key="mse", target="label"))
    >>> print(check_graph(Pipeline(tasks={"classify": task}, metric="auc(score, label)"), {"jet", "label"})[0])
    tasks.classify.inputs.0: 'jte' is neither a column nor an output (did you mean 'jet'?)
    """
    mistakes = _check_outputs(pipeline, columns) + _check_inputs(pipeline, columns) + _check_losses(pipeline)
    mistakes += _check_joint(pipeline)
    try:
        order(pipeline)
    except SpecError as error:
        mistakes += error.mistakes
    return mistakes


def _check_inputs(pipeline: Pipeline, columns: set[str] | None) -> list[Mistake]:
    outputs = {task.output for task in pipeline.tasks.values()}
    truth = targets(pipeline)
    mistakes: list[Mistake] = []
    for path, column in all_inputs(pipeline):
        if column in outputs:
            continue
        if column in truth:
            found = f"the truth leaks: '{column}' supervises a task and may not be read as an input"
            mistakes.append(Mistake(path, found))
        elif columns is not None and column not in columns:
            near = did_you_mean(column, columns | outputs)
            mistakes.append(Mistake(path, f"'{column}' is neither a column nor an output{near}"))
    return mistakes


def _check_outputs(pipeline: Pipeline, columns: set[str] | None) -> list[Mistake]:
    shown = {
        column
        for task in pipeline.tasks.values()
        for loss in task.losses
        for _, column in options(loss.target)
    }
    taken = (columns or set()) | shown
    mistakes, seen = [], dict[str, str]()
    for name, task in pipeline.tasks.items():
        path: Path = ("tasks", name, "output")
        if task.output in seen:
            mistakes.append(Mistake(path, f"'{task.output}' is already the output of {seen[task.output]}"))
        elif task.output in taken:
            found = f"'{task.output}' is also a column of the table; give the output another name"
            mistakes.append(Mistake(path, found))
        seen.setdefault(task.output, name)
    return mistakes


def _check_losses(pipeline: Pipeline) -> list[Mistake]:
    """Every stage needs something to learn from: without a loss there is no truth to pretrain a task on."""
    tasks, train, against = pipeline.tasks, pipeline.train, adversaries(pipeline)
    # What an adversary alone reads is an end of the chain.
    read = {column for path, column in all_inputs(pipeline) if path[1] not in against}
    needed = [n for n, task in tasks.items() if train.intermediate is not False or task.output not in read]
    if not needed:  # every output is read: a circle, which is reported as such
        return []
    if not any(_can_count(loss.weight) for name in needed for loss in tasks[name].losses):
        return [Mistake(("tasks",), f"no loss with a weight above 0 is left to train {' and '.join(needed)}")]
    if train.pretrain is False or train.intermediate is False or len(tasks) == 1:
        return []
    rule = (
        "has no loss, so no column supervises it in pretraining; give it one, or set train.pretrain to false"
    )
    return [
        Mistake(("tasks", name, "loss"), f"'{task.output}' {rule}")
        for name, task in tasks.items()
        if not task.losses
    ]


def _check_joint(pipeline: Pipeline) -> list[Mistake]:
    """Without the joint stage, what is left is the training of each task alone, which needs its truth."""
    train = pipeline.train
    if _can_be_off(train.joint) and (against := sorted(adversaries(pipeline))):
        found = f"false leaves the tasks before {against[0]} as they are, which it is to change; set train.joint to true"
        return [Mistake(("train", "joint"), found)]
    off = [name for name in ("pretrain", "intermediate") if _can_be_off(getattr(train, name))]
    if _can_be_off(train.joint) and (off or len(pipeline.tasks) == 1):
        return [Mistake(("train", "joint"), _needs(off))]
    return []


def _can_be_off(switch: Value) -> bool:
    return any(option is False for _, option in options(switch))


def _needs(off: list[str]) -> str:
    rule = "false trains each task after the ones before it"
    if not off:
        return f"{rule}, but there is one task only; set train.joint to true"
    found = " and ".join(f"train.{name} false" for name in off)
    right = " and ".join(f"train.{name}" for name in off)
    return (
        f"{rule}, alone and on its own truth, but found {found}; set {right} to true, or train.joint to true"
    )


def _circle(pipeline: Pipeline, names: list[str]) -> Mistake:
    """The mistake of a circle whose tasks are given each before the one that reads it, the first also as the last."""
    made = pipeline.tasks[names[0]].output
    path = next(path for path, column in _inputs(names[1], pipeline.tasks[names[1]]) if column == made)
    return Mistake(path, f"these tasks wait for each other: {' -> '.join(names)}")


def _inputs(name: str, task: Task) -> list[tuple[Path, str]]:
    pairs = task.inputs.items() if isinstance(task.inputs, Mapping) else enumerate(task.inputs)
    return [(("tasks", name, "inputs", step), column) for step, column in pairs]


def _can_count(weight: Value) -> bool:
    # What is drawn, or changes with time, counts.
    return any(not isinstance(option, float | int) or option > 0 for _, option in options(weight))
