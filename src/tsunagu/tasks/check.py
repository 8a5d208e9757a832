"""What can be found wrong with a pipeline before an event is read, all at once."""

from __future__ import annotations

from tsunagu.errors import Mistake, SpecError, did_you_mean
from tsunagu.losses import find_loss
from tsunagu.metrics import parse_metric
from tsunagu.spec import (
    LossTerm,
    Path,
    Pipeline,
    architectures,
    check_choices,
    check_graph,
    options,
    resolve,
)
from tsunagu.tasks.build import check_arguments, check_model
from tsunagu.tasks.declared import check_conditions, check_parameters
from tsunagu.tasks.dry_run import check_data, loss_paths, metric_texts
from tsunagu.tasks.objectives import check_aggregate, check_scalarise
from tsunagu.tasks.showing import check_showing

__all__ = ["check_data", "check_pipeline"]


def check_pipeline(pipeline: Pipeline, columns: set[str] | None = None) -> list[Mistake]:
    """The mistakes of a pipeline that can be seen without an event: names, keys, arguments, metrics.

    Args:
        pipeline: choices are allowed; all their options are checked.
        columns: the names that the table offers; None leaves unknown inputs unreported.

    >>> from tsunagu.spec import Task, node
    >>> task = Task(inputs=["x"], output="y", model=node("Linaer", 2, 1), loss=LossTerm(key="mes", target="t"))
    >>> for mistake in check_pipeline(Pipeline(tasks={"fit": task}, metric="mse(y, t)"), {"x", "t"}):
    ...     print(mistake)
    tasks.fit.model.key: unknown layer 'Linaer' (did you mean 'Linear'?)
    tasks.fit.loss.key: unknown loss 'mes' (did you mean 'mse'?)
    """
    mistakes = check_graph(pipeline, columns) + check_choices(pipeline)
    drawn = check_conditions(pipeline, columns)
    if drawn:  # losses cannot be tried with these
        return mistakes + drawn
    for name, task in pipeline.tasks.items():
        mistakes += check_model(task.model, ("tasks", name, "model"))
        for path, loss in loss_paths(name, task.loss):
            mistakes += _check_loss(loss, path, columns)
    mistakes += check_showing(pipeline, columns) + check_aggregate(pipeline) + check_scalarise(pipeline)
    return mistakes + _check_metrics(pipeline, columns)


def _check_loss(loss: LossTerm, path: Path, columns: set[str] | None) -> list[Mistake]:
    keys = options(loss.key, (*path, "key"))
    mistakes = [Mistake(place, problem) for place, key in keys if (problem := _unknown(key))]
    if not mistakes:
        plain = (resolve(loss, architecture) for architecture in architectures(loss))
        mistakes += dict.fromkeys(m for term in plain for m in _check_settings(term, path))
    if columns is None:
        return mistakes
    where = [] if loss.where is None else [((*path, "where"), loss.where)]
    return mistakes + [
        Mistake(place, f"unknown column '{column}'{did_you_mean(column, columns)}")
        for place, column in [*options(loss.target, (*path, "target")), *where]
        if column not in columns
    ]


def _unknown(key: str) -> str | None:
    try:
        find_loss(key)
    except LookupError as error:
        return str(error)
    return None


def _check_settings(loss: LossTerm, path: Path) -> list[Mistake]:
    mistakes = check_arguments(find_loss(loss.key), loss.args, path)
    if mistakes:
        return mistakes
    return check_parameters(loss, path)


def _check_metrics(pipeline: Pipeline, columns: set[str] | None) -> list[Mistake]:
    mistakes: list[Mistake] = []
    outputs = {task.output for task in pipeline.tasks.values()}
    for path, text in metric_texts(pipeline):
        try:
            call = parse_metric(text)
            found = [] if columns is None else call.check(columns | outputs)
        except SpecError as error:
            found = list(error.mistakes)
        mistakes += [Mistake(path, mistake.message) for mistake in found]
    return mistakes
