"""What can be found wrong with a supernet before it is trained, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from tsunagu.data import Split, Table
from tsunagu.errors import Mistake, SpecError
from tsunagu.metrics import parse_metric
from tsunagu.spec import Choice, Path, Pipeline, architectures, resolve, walk
from tsunagu.spec.architecture import labelled_choices
from tsunagu.tasks.dry_run import (
    SAMPLE,
    check_labels,
    fitted,
    loss_paths,
    metric_texts,
    truth,
    try_loss,
    try_metric,
)
from tsunagu.tasks.fitting import everything
from tsunagu.tasks.graph import Graph, no_place
from tsunagu.tasks.stages import Stage, stages
from tsunagu.tasks.supernet.building import build_supergraph
from tsunagu.tasks.supernet.conditioned import unconditioned
from tsunagu.tasks.supernet.shapes import Reached, walk_shapes
from tsunagu.tasks.supernet.switch import spelled

__all__ = ["check_shapes", "check_supernet", "models_only"]


def check_supernet(
    pipeline: Pipeline, table: Table, *, mixed: bool = False, memory: float | None = None
) -> list[Mistake]:
    """What keeps a pipeline from being searched with one supernet.

    Found are choices outside the models, candidates that cannot be built, weights that do not fit into memory, labels that do
    not fit their losses, shapes that do not fit each other, a loss or a metric along any path, and, for a mixture, options of
    unequal shapes. So nothing is left for :func:`tsunagu.tasks.check_data`, which tries one architecture after the other.

    Args:
        pipeline: checked by :func:`tsunagu.tasks.check_pipeline` before.
        table: all columns that the pipeline names; a few events are read.
        mixed: whether options are mixed (DARTS, GDAS); else paths are taken one at a time (SPOS, ASNG).
        memory: bytes that a training may fill; by default what this machine has left.

    Returns:
        All mistakes, each with the labels and options that it needs.
    """
    outside = [Mistake(place.path, _outside(place.label)) for place in _choices_outside(pipeline)]
    try:
        graph = build_supergraph(pipeline, seed=0, memory=memory)
    except SpecError as error:
        return outside + list(error.mistakes)
    plain = models_only(pipeline)
    return outside + _check_condition(graph) + check_shapes(plain, graph, table, mixed=mixed)


def _check_condition(graph: Graph) -> list[Mistake]:
    """A path that no condition enters could not be trained alone."""
    blind = unconditioned(graph) if graph.conditions else None
    return [] if blind is None else [no_place(graph.conditions, spelled(blind))]


def check_shapes(pipeline: Pipeline, graph: Graph, table: Table, *, mixed: bool) -> list[Mistake]:
    """The mistakes that show on a few events: every option is tried in every stage, on every shape that can reach it.

    Args:
        pipeline: with choices in its models only.
        graph: its supergraph; is put into evaluation mode.
        table: all columns that the pipeline names.
        mixed: whether options are mixed.
    """
    graph.eval()
    split = everything(table)
    labels = check_labels(pipeline, table, split)
    found: list[Mistake] = [*labels.values(), *_check_metrics(pipeline, None, {}, table, labels)]
    for stage in (every := stages(pipeline)):
        batch = _few(stage, graph, table)
        for name, reached in walk_shapes(graph, batch, stage.tasks, mixed=mixed, found=found):
            found += _check_losses(pipeline, name, reached.made[graph.outputs[name]], reached, table, split)
            if stage is every[-1]:
                unfit = _check_metrics(pipeline, graph.outputs[name], reached.made, table, labels)
                found += [_with(reached, mistake) for mistake in unfit]
    return list(dict.fromkeys(found))


def models_only(pipeline: Pipeline) -> Pipeline:
    """The pipeline with the first option of every choice outside its models."""
    if not any(_choices_outside(pipeline)):
        return pipeline
    first = resolve(pipeline, next(architectures(pipeline)))
    tasks = {
        name: task.model_copy(update={"model": pipeline.tasks[name].model})
        for name, task in first.tasks.items()
    }
    return first.model_copy(update={"tasks": tasks})


class _Site(NamedTuple):
    path: Path
    label: str


def _choices_outside(pipeline: Pipeline) -> Iterator[_Site]:
    places = [path for path, part in walk(pipeline) if isinstance(part, Choice)]
    for path, (label, _) in zip(places, labelled_choices(pipeline), strict=True):
        if path[:1] != ("tasks",) or path[2:3] != ("model",):
            yield _Site(path, label)


def _outside(label: str) -> str:
    return (
        f"{label}: a choice outside the models cannot be made in a supernet, whose paths share one training; decide it, vary "
        "it in the study, or search with trainings of each candidate"
    )


def _few(stage: Stage, graph: Graph, table: Table) -> dict[str, Tensor]:
    rows = torch.arange(min(SAMPLE, len(table)))
    batch = table.take([*graph.columns(stage.tasks, stage.substitutes), *stage.targets], rows)
    batch |= {output: batch[column] for output, column in stage.substitutes.items()}
    return batch | graph.conditions.at_default(len(rows), table.device)


def _check_losses(
    pipeline: Pipeline, name: str, made: Tensor, reached: Reached, table: Table, split: Split
) -> Iterator[Mistake]:
    for path, loss in loss_paths(name, pipeline.tasks[name].loss):
        own = fitted(loss, table, split)
        for mistake in try_loss(loss, path, made, truth(loss, reached.made), own):
            yield _with(reached, mistake)


def _check_metrics(
    pipeline: Pipeline,
    made: str | None,
    known: Mapping[str, Tensor],
    table: Table,
    wrong: Mapping[str, Mistake],
) -> Iterator[Mistake]:
    """Those metrics that read an output just made and others that are known, or with None those that read columns only."""
    outputs = {task.output for task in pipeline.tasks.values()}
    for path, text in metric_texts(pipeline):
        call = parse_metric(text)
        read = outputs.intersection(call.arguments)
        # What is wrong with a column has been said.
        if wrong.keys() & set(call.arguments) or not read <= known.keys():
            continue
        if made in read or (made is None and not read):
            yield from try_metric(call, path, table, known)


def _with(reached: Reached, mistake: Mistake) -> Mistake:
    taken = spelled(reached.decided)
    return Mistake(mistake.path, f"with {taken}: {mistake.message}") if taken else mistake
