"""Everything that can be found wrong before a training starts, all at once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tsunagu.data import Table
from tsunagu.errors import DataError, Mistake, SpecError, did_you_mean
from tsunagu.layers import check_args
from tsunagu.losses import find_loss, known_losses
from tsunagu.metrics import parse_metric
from tsunagu.spec import LossTerm, Path, Pipeline, check_graph, choices
from tsunagu.tasks.build import check_model
from tsunagu.tasks.graph import Graph, build_graph
from tsunagu.tasks.stages import Stage, stages

__all__ = ["check_data", "check_pipeline"]

SAMPLE = 4


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
    mistakes = check_graph(pipeline, columns)
    for name, task in pipeline.tasks.items():
        mistakes += check_model(task.model, ("tasks", name, "model"))
        for path, loss in _loss_paths(name, task.loss):
            mistakes += _check_loss(loss, path, columns)
    return mistakes + _check_metrics(pipeline, columns)


def check_data(pipeline: Pipeline, table: Table) -> None:
    """Try every stage on a few events, and every label of the table.

    Raises:
        SpecError: a model or a loss that does not fit its inputs; the message names the task and the shapes.
        DataError: labels outside the classes and the like, with the column and the count.
    """
    if choices(pipeline):
        return
    graph = build_graph(pipeline, seed=0).eval()
    _check_labels(stages(pipeline), table)
    mistakes = [
        mistake for stage in stages(pipeline) for mistake in _try_stage(stage, graph, pipeline, table)
    ]
    if mistakes:
        raise SpecError(list(dict.fromkeys(mistakes)))


def _loss_paths(name: str, loss: LossTerm | list[LossTerm]) -> list[tuple[Path, LossTerm]]:
    path: Path = ("tasks", name, "loss")
    return [((*path, i), term) for i, term in enumerate(loss)] if isinstance(loss, list) else [(path, loss)]


def _check_loss(loss: LossTerm, path: Path, columns: set[str] | None) -> list[Mistake]:
    mistakes = []
    if loss.key not in known_losses():
        mistakes.append(
            Mistake((*path, "key"), f"unknown loss '{loss.key}'{did_you_mean(loss.key, known_losses())}")
        )
    elif problem := check_args(find_loss(loss.key), loss.args):
        mistakes.append(Mistake((*path, "args"), problem))
    else:
        mistakes += _try_to_make(loss, path)
    if columns is not None and loss.target not in columns:
        found = f"unknown column '{loss.target}'{did_you_mean(loss.target, columns)}"
        mistakes.append(Mistake((*path, "target"), found))
    return mistakes


def _try_to_make(loss: LossTerm, path: Path) -> list[Mistake]:
    try:
        find_loss(loss.key)(**loss.args)
    except (ValueError, TypeError) as error:
        return [Mistake((*path, "args"), str(error))]
    return []


def _check_metrics(pipeline: Pipeline, columns: set[str] | None) -> list[Mistake]:
    named: list[tuple[Path, str]] = [(("metric",), pipeline.metric)]
    named += [(("metrics", i), text) for i, text in enumerate(pipeline.metrics)]
    mistakes: list[Mistake] = []
    for path, text in named:
        try:
            call = parse_metric(text)
        except SpecError as error:
            mistakes += [Mistake(path, mistake.message) for mistake in error.mistakes]
            continue
        if columns is not None:
            outputs = {task.output for task in pipeline.tasks.values()}
            mistakes += [Mistake(path, mistake.message) for mistake in call.check(columns | outputs)]
    return mistakes


def _check_labels(parts: tuple[Stage, ...], table: Table) -> None:
    problems = {
        term.target: f"{', '.join(table.files)}: column '{term.target}': {problem}"
        for stage in parts
        for term in stage.terms
        if (problem := term.loss.check(table.columns[term.target]))
    }
    if problems:
        raise DataError("\n".join(problems.values()))


def _try_stage(stage: Stage, graph: Graph, pipeline: Pipeline, table: Table) -> list[Mistake]:
    rows = torch.arange(min(SAMPLE, len(table)))
    batch = table.take([*graph.columns(stage.tasks, stage.substitutes), *stage.targets], rows)
    known: dict[str, Tensor] = batch | {output: batch[column] for output, column in stage.substitutes.items()}
    mistakes: list[Mistake] = []
    for name in stage.tasks:
        try:
            with torch.no_grad():
                known |= graph(known, [name])
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
            found = f"the model fails on {_shapes(graph.columns([name]), known)}: {error}"
            return [*mistakes, Mistake(("tasks", name, "model"), found)]
        for path, loss in _loss_paths(name, pipeline.tasks[name].loss):
            mistakes += _try_loss(loss, path, known[pipeline.tasks[name].output], batch.get(loss.target))
    return mistakes


def _try_loss(loss: LossTerm, path: Path, prediction: Tensor, target: Tensor | None) -> list[Mistake]:
    if target is None:
        return []
    shapes = f"prediction {list(prediction.shape)} and target '{loss.target}' {list(target.shape)}"
    try:
        value = find_loss(loss.key)(**loss.args)(prediction, target)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        return [Mistake(path, f"{loss.key} fails on {shapes}: {error}")]
    if value.shape != prediction.shape[:1]:
        return [
            Mistake(
                path, f"{loss.key} gives {list(value.shape)} in place of one value per event from {shapes}"
            )
        ]
    return []


def _shapes(names: list[str], known: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} {list(known[name].shape)}" for name in names)
