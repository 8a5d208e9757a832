"""A pipeline tried on a few events: do models, losses and metrics fit the columns and each other?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from tsunagu.data import Split, Table
from tsunagu.data.listing import listed
from tsunagu.errors import DataError, Mistake, SpecError
from tsunagu.losses import Loss
from tsunagu.metrics import MetricCall, parse_metric
from tsunagu.spec import Architecture, LossTerm, Path, Pipeline, architectures, resolve
from tsunagu.tasks.batchwise import blanked
from tsunagu.tasks.build import reason
from tsunagu.tasks.fitting import everything, fit_loss
from tsunagu.tasks.graph import Graph, build_graph
from tsunagu.tasks.settings import plain_loss
from tsunagu.tasks.showing import check_shown
from tsunagu.tasks.stages import Stage, stages

__all__ = [
    "SAMPLE",
    "check_data",
    "check_labels",
    "fitted",
    "loss_paths",
    "metric_texts",
    "truth",
    "try_loss",
    "try_metric",
]

SAMPLE = 4
"""Events that are tried."""


def check_data(
    pipeline: Pipeline, table: Table, split: Split | None = None, tried: Iterable[Architecture] | None = None
) -> None:
    """Try every stage on a few events, and every label and metric on all of them.

    Args:
        pipeline: where choices are left, every architecture is tried, and a mistake names the options it needs.
        table: all columns that the pipeline names.
        split: which events train, for losses that must know how many there are of each class; by default all.
        tried: the architectures to try, in place of all.

    Raises:
        SpecError: a model, a loss or a metric that does not fit its inputs; the message names the task and the
            shapes.
        DataError: labels outside the classes and the like, with the file, the column and the count.
    """
    found: dict[Mistake, list[Architecture]] = {}
    labels: dict[str, Mistake] = {}
    judged: dict[str, list[Mistake]] = {}
    split = split or everything(table)
    tried = list(architectures(pipeline) if tried is None else tried)
    for architecture in tried:
        plain = resolve(pipeline, architecture)
        labels |= check_labels(plain, table, split)
        for mistake in dict.fromkeys(_try(plain, table, split, labels.keys(), judged)):
            found.setdefault(mistake, []).append(architecture)
    if found:
        mistakes = [_with_options(mistake, wrong, tried) for mistake, wrong in found.items()]
        raise SpecError([*mistakes, *labels.values()])
    if labels:
        raise DataError("\n".join(mistake.message for mistake in labels.values()))


def loss_paths(name: str, loss: LossTerm | list[LossTerm]) -> list[tuple[Path, LossTerm]]:
    """The losses of a task, each with its path."""
    path: Path = ("tasks", name, "loss")
    return [((*path, i), term) for i, term in enumerate(loss)] if isinstance(loss, list) else [(path, loss)]


def metric_texts(pipeline: Pipeline) -> list[tuple[Path, str]]:
    """The metrics of a pipeline as they are written, each with its path."""
    return [
        (("metric",), pipeline.metric),
        *((("metrics", i), text) for i, text in enumerate(pipeline.metrics)),
    ]


def _with_options(mistake: Mistake, wrong: list[Architecture], tried: list[Architecture]) -> Mistake:
    """What the architectures with this mistake have in common and the others do not."""
    if len(wrong) == len(tried):
        return mistake
    shared = _shared_options(wrong) - _shared_options(tried)
    options = ", ".join(f"{label} = {option}" for label, option in sorted(shared))
    return Mistake(mistake.path, f"with {options}: {mistake.message}") if options else mistake


def _shared_options(found: list[Architecture]) -> set[tuple[str, str]]:
    return {decision for decision in found[0].items() if all(decision in each.items() for each in found)}


def check_labels(pipeline: Pipeline, table: Table, split: Split) -> dict[str, Mistake]:
    """What is wrong with the targets of the losses of a pipeline whose losses are decided, by column.

    All events are looked at, and of the training events whether each class is among them, where a loss must know.
    """
    problems: dict[str, Mistake] = {}
    for name, task in pipeline.tasks.items():
        for path, term in loss_paths(name, task.loss):
            if found := _unfit(term, table, split):
                problems[term.target] = Mistake((*path, "target"), found)
    return problems


def _unfit(term: LossTerm, table: Table, split: Split) -> str:
    loss, target = plain_loss(term), table.columns[term.target]
    if term.where is not None:
        target = target[table.columns[term.where] != 0]
    if problem := loss.check(target):
        return f"{listed(table.files)}: column '{term.target}': {problem}"
    try:
        fit_loss(loss, term.target, table, split, term.where)
    except DataError as error:
        return str(error)
    return ""


def fitted(term: LossTerm, table: Table, split: Split) -> Loss | None:
    """The loss that a term names, with what it must know of the training events; None where they are unfit."""
    try:
        return fit_loss(plain_loss(term), term.target, table, split, term.where)
    except DataError:
        return None


def _try(
    pipeline: Pipeline,
    table: Table,
    split: Split,
    wrong: Collection[str],
    judged: dict[str, list[Mistake]],
) -> Iterator[Mistake]:
    try:
        graph = build_graph(pipeline, seed=0).eval()
    except SpecError as error:
        yield from error.mistakes
        return
    known: dict[str, Tensor] = {}
    for stage in stages(pipeline):
        # A joint stage makes all outputs; without one, each is made by some stage.
        known = {} if stage.tasks == tuple(graph.wiring) else known
        yield from _try_stage(stage, graph, pipeline, table, split, known)
    yield from check_shown(pipeline, table)
    for path, text in metric_texts(pipeline):
        call = parse_metric(text)
        lacking = {task.output for task in pipeline.tasks.values()} - known.keys()
        # What is wrong with a column, or with the model of an output, has been said.
        if lacking.union(wrong).intersection(call.arguments):
            continue
        shapes = _shapes(list(call.arguments), {**known, **table.columns})
        if (key := f"{path} {shapes}") not in judged:
            judged[key] = try_metric(call, path, table, known)
        yield from judged[key]


def _try_stage(
    stage: Stage, graph: Graph, pipeline: Pipeline, table: Table, split: Split, known: dict[str, Tensor]
) -> Iterator[Mistake]:
    rows = torch.arange(min(SAMPLE, len(table)))
    tasks = (*stage.frozen, *stage.tasks)
    known |= table.take([*graph.columns(tasks, stage.substitutes), *stage.targets], rows)
    known |= {output: known[column] for output, column in stage.substitutes.items() if column in known}
    if graph.conditions:
        known |= graph.conditions.inputs(graph.conditions.default.expand(len(rows), -1))
    for name in tasks:
        task = pipeline.tasks[name]
        try:
            with torch.no_grad():
                made: Any = graph(known, [name])[task.output]
        except Exception as error:  # noqa: BLE001 - a user's module may fail in any way
            found = f"the model fails on {_shapes(graph.columns([name]), known)}: {reason(error)}"
            yield Mistake(("tasks", name, "model"), found)
            return
        if not isinstance(made, Tensor) or made.shape[:1] != rows.shape:
            found = str(list(made.shape)) if isinstance(made, Tensor) else f"a {type(made).__name__}"
            wanted = f"expected a tensor [{len(rows)}, ...] for {len(rows)} events from the model"
            yield Mistake(("tasks", name, "model"), f"{wanted}, found {found}")
            return
        known[task.output] = made
        for path, loss in loss_paths(name, task.loss):
            own = fitted(loss, table, split)
            yield from try_loss(loss, path, made, truth(loss, known), own)


def truth(loss: LossTerm, known: Mapping[str, Tensor]) -> Tensor | None:
    """What a loss meets, ``[E, ...]``, as it is in a training; nothing where it is not there."""
    target = known.get(loss.target)
    return target if target is None or loss.where is None else blanked(target, known[loss.where])


def try_loss(
    loss: LossTerm, path: Path, prediction: Tensor, target: Tensor | None, own: Loss | None
) -> Iterator[Mistake]:
    """Why a loss, :func:`fitted`, does not fit a prediction ``[E, ...]`` and its target; nothing without a target."""
    if target is None or own is None:
        return
    shapes = f"prediction {list(prediction.shape)} and target '{loss.target}' {list(target.shape)}"
    try:
        value = own(prediction, target)
    except Exception as error:  # noqa: BLE001 - a user's loss may fail in any way
        yield Mistake(path, f"{loss.key} fails on {shapes}: {reason(error)}")
        return
    if value.shape != prediction.shape[:1]:
        found = f"{loss.key} gives {list(value.shape)} in place of one value per event from {shapes}"
        yield Mistake(path, found)


def try_metric(call: MetricCall, path: Path, table: Table, known: Mapping[str, Tensor]) -> list[Mistake]:
    """On all events, because a class may be rare; every event with the prediction of the first one."""
    try:
        call.evaluate(
            {name: _all_events(name, table, known) for name in call.arguments}, table.weight.numpy()
        )
    except DataError as error:
        return [Mistake(path, str(error))]
    except (ValueError, TypeError, IndexError) as error:
        shapes = _shapes(list(call.arguments), {**known, **table.columns})
        return [Mistake(path, f"{call} fails on {shapes}: {reason(error)}")]
    return []


def _all_events(name: str, table: Table, known: Mapping[str, Tensor]) -> Any:
    if name in table.columns:
        return table.columns[name].numpy()
    return known[name][:1].expand(len(table), *known[name].shape[1:]).numpy()


def _shapes(names: list[str], known: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} {list(known[name].shape)}" for name in names)
