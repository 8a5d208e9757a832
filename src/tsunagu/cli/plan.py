"""What ``tsunagu plan`` prints: the events, the tasks and their sizes, the stages, the choices, the trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table as Grid

from tsunagu.cli.conditions import describe_conditions, spelled
from tsunagu.cli.events import describe_processes
from tsunagu.cli.losses import describe_losses
from tsunagu.cli.objectives import describe_objectives
from tsunagu.cli.searches import describe_searches
from tsunagu.cli.supernet import describe_supernet
from tsunagu.data import Table
from tsunagu.data import describe as describe_table
from tsunagu.spec import (
    Condition,
    Pipeline,
    Schedule,
    Study,
    architectures,
    choices,
    count,
    resolve,
    some_architectures,
    variations,
)
from tsunagu.studies import Planned, count_stages, plan, seeds
from tsunagu.tasks import build_graph, stages
from tsunagu.trials import Trial, backends, populations

__all__ = ["describe"]


def describe(study: Study, table: Table) -> Iterator[Grid | str]:
    """The parts of the plan, in the order in which they are printed."""
    yield from describe_processes(table)
    yield _events(study, table)
    yield from map(escape, table.notes)
    yield _tasks(study.pipeline)
    varied = [each.pipeline for _, each in variations(study) if _same_events(each, study)]
    yield from describe_losses(varied, table, table.split(study.data.folds))
    yield from describe_conditions(study.pipeline)
    yield _stages(study.pipeline)
    yield from describe_objectives(varied)
    if choices(study.pipeline):
        yield _choices(study.pipeline)
        yield from describe_supernet(study.pipeline, table)
    planned = list(plan(study))
    yield from _trials(study, planned)
    yield from describe_searches(study, table)
    yield _in_step(planned, study, table)


def _same_events(varied: Study, study: Study) -> bool:
    """Whether a variation is trained on the events that the study names, of a rotation the first turn."""
    return varied.data == study.data.model_copy(update={"folds": study.data.folds.turns()[0]})


def _trials(study: Study, planned: Sequence[Planned]) -> Iterator[str]:
    each, searched = len(seeds(study)), {p.method for p in planned if p.study.search is not None}
    methods = Counter(trial.method for trial in planned)
    first = " to begin with" if searched else ""
    yield f"{len(planned)} trial{'s'[: len(planned) > 1]} with {each} seed{'s'[: each > 1]}{first}:"
    for method, number in methods.items():
        more = ", then what its search asks for" if method in searched else ""
        yield f"  {method}: {number // each}" + (f" x {each}" if each > 1 else "") + more
    count, trained = count_stages(planned)
    if trained < count:
        yield f"{trained} stages are trained instead of {count}: one that several trials share is trained once"


def _in_step(planned: Sequence[Planned], study: Study, table: Table) -> Grid:
    """How many trials are trained as one population, and how the models of each are run."""
    trials = [each for each in planned if each.role != "search"]
    here = [
        trial.trial
        for trial in trials
        if trial.study.data.model_copy(update={"folds": study.data.folds}) == study.data
    ]
    sizes: dict[tuple[str, ...], list[str]] = {}
    for numbers in populations(here):
        found = _backends([here[number] for number in numbers], table)
        sizes.setdefault(found, []).append(str(len(numbers)))
    grid = Grid("trials", *study.tasks, title="Trained in step")
    for found, counts in sizes.items():
        grid.add_row(" + ".join(counts), *found)
    if others := len(trials) - len(here):
        grid.caption = f"and {others} on other events"
    return grid


def _backends(trials: Sequence[Trial], table: Table) -> tuple[str, ...]:
    """For each task, its models and how they are run."""
    return tuple(
        ", ".join(dict.fromkeys(f"{_name(model)}: {way}" for model, way in found))
        for found in backends(trials, table).values()
    )


def _events(study: Study, table: Table) -> Grid:
    split = table.split(study.data.folds)
    grid = Grid(title="Events")
    for name in ("class", "events", "sum w", "sum |w|", "negative", "effective"):
        grid.add_column(name, justify="right")
    label = next(
        (
            loss.target
            for task in study.tasks.values()
            for loss in task.losses
            if _is_label(table, loss.target)
        ),
        None,
    )
    for row in describe_table(table, label):
        shares = (f"{row.negative_share:.1%}", f"{row.effective_events:,.0f}")
        grid.add_row(
            row.name, f"{row.events:,}", f"{row.sum_weight:,.5g}", f"{row.sum_abs_weight:,.5g}", *shares
        )
    sizes = {kind: len(getattr(split, kind)) for kind in ("train", "validation", "test")}
    grid.caption = ", ".join(f"{kind} {number:,}" for kind, number in sizes.items())
    return grid


def _is_label(table: Table, column: str) -> bool:
    values = table.columns[column]
    return values.ndim == 1 and not values.is_floating_point()


def _tasks(pipeline: Pipeline) -> Grid:
    grid = Grid(title="Tasks")
    for name in ("task", "reads", "makes", "model", "parameters", "loss"):
        grid.add_column(name)
    sizes = _parameters(pipeline)
    for name, task in pipeline.tasks.items():
        inputs = task.inputs.values() if isinstance(task.inputs, Mapping) else task.inputs
        losses = " + ".join(
            f"{_number(loss.weight)} {loss.key}({task.output}, {loss.target})" for loss in task.losses
        )
        grid.add_row(name, ", ".join(inputs), task.output, _name(task.model), sizes[name], losses)
    return grid


def _number(weight: Any) -> str:
    if isinstance(weight, Condition | Schedule):
        return spelled(weight)
    return f"{weight:g}" if isinstance(weight, float | int) else "a chosen weight x"


def _name(model: Any) -> str:
    return getattr(model, "key", None) or type(model).__name__


def _parameters(pipeline: Pipeline) -> dict[str, str]:
    found: dict[str, set[int]] = {name: set() for name in pipeline.tasks}
    for architecture in some_architectures(pipeline):
        graph = build_graph(resolve(pipeline, architecture), seed=0)
        for name, sizes in found.items():
            sizes.add(sum(p.numel() for p in graph.models[name].parameters() if p.requires_grad))
    return {n: f"{min(s):,}" if len(s) == 1 else f"{min(s):,} ... {max(s):,}" for n, s in found.items()}


def _stages(pipeline: Pipeline) -> Grid:
    grid = Grid(title="Stages")
    for name in ("stage", "reads in place of", "at most", "patience"):
        grid.add_column(name)
    first = resolve(pipeline, next(iter(architectures(pipeline))))
    for stage in stages(first):
        replaced = [f"{column} for {output}" for output, column in stage.substitutes.items()]
        frozen = [f"{first.tasks[task].output} of the frozen {task}" for task in stage.frozen]
        grid.add_row(
            stage.name,
            ", ".join(replaced + frozen) or "-",
            f"{stage.epochs} epochs",
            str(stage.patience or "-"),
        )
    return grid


def _choices(pipeline: Pipeline) -> Grid:
    grid = Grid(title=f"Choices: {count(pipeline):,} architectures")
    grid.add_column("choice")
    grid.add_column("options")
    for label, choice in choices(pipeline).items():
        grid.add_row(label, ", ".join(choice.options))
    return grid
