"""Tasks as a graph: edges are names, and what is wrong with them can be seen without an event."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from tsunagu.errors import Mistake, Path, SpecError, did_you_mean
from tsunagu.spec.models import Pipeline, Task

__all__ = ["check_graph", "order", "supervisors"]


def order(pipeline: Pipeline) -> list[str]:
    """The names of the tasks, each after those whose outputs it reads.

    Raises:
        SpecError: the tasks wait for each other in a circle.
    """
    makers = {task.output: name for name, task in pipeline.tasks.items()}
    edges = {
        name: [makers[c] for _, c in _inputs(task) if c in makers] for name, task in pipeline.tasks.items()
    }
    try:
        return list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise SpecError([Mistake(("tasks",), f"these tasks wait for each other: {circle}")]) from error


def supervisors(pipeline: Pipeline) -> dict[str, str]:
    """For each output, the column that supervises it: the target of its task's first loss."""
    return {task.output: task.losses[0].target for task in pipeline.tasks.values()}


def check_graph(pipeline: Pipeline, columns: set[str] | None = None) -> list[Mistake]:
    """Unknown names, circles, outputs that clash, and truth that leaks into an input.

    Args:
        pipeline: its names are checked.
        columns: of the table; None leaves unknown inputs unreported.
    """
    outputs = {task.output for task in pipeline.tasks.values()}
    mistakes = _check_outputs(pipeline, columns)
    targets = {loss.target for task in pipeline.tasks.values() for loss in task.losses}
    for name, task in pipeline.tasks.items():
        for path, column in _inputs(task, ("tasks", name, "inputs")):
            if columns is not None and column not in columns | outputs:
                found = (
                    f"'{column}' is neither a column nor an output{did_you_mean(column, columns | outputs)}"
                )
                mistakes.append(Mistake(path, found))
            if column in targets and column not in outputs:
                found = f"the truth leaks: '{column}' supervises a task and may not be read as an input"
                mistakes.append(Mistake(path, found))
    try:
        order(pipeline)
    except SpecError as error:
        mistakes += error.mistakes
    return mistakes


def _check_outputs(pipeline: Pipeline, columns: set[str] | None) -> list[Mistake]:
    mistakes, seen = [], dict[str, str]()
    for name, task in pipeline.tasks.items():
        path: Path = ("tasks", name, "output")
        if task.output in seen:
            mistakes.append(Mistake(path, f"'{task.output}' is already the output of {seen[task.output]}"))
        elif columns is not None and task.output in columns:
            mistakes.append(
                Mistake(path, f"'{task.output}' is also a column of the table; give the output another name")
            )
        seen.setdefault(task.output, name)
    return mistakes


def _inputs(task: Task, path: Path = ()) -> list[tuple[Path, str]]:
    pairs = task.inputs.items() if isinstance(task.inputs, Mapping) else enumerate(task.inputs)
    return [((*path, step), column) for step, column in pairs]
