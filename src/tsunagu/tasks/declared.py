"""What can be found wrong with the conditions and schedules of a pipeline before an event is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.losses import find_loss
from tsunagu.spec import REVERSAL, Condition, LossTerm, Node, Pipeline, Schedule, walk
from tsunagu.tasks.conditions import CONDITION, VALUES, distribution_of
from tsunagu.tasks.objectives import check_conditioned_weights
from tsunagu.tasks.settings import curve_of, plain

__all__ = ["check_conditions", "check_parameters"]

EDGES = 5
"""Points of its range with which a loss is tried; both ends are among them."""


def check_conditions(pipeline: Pipeline, columns: set[str] | None = None) -> list[Mistake]:
    """The mistakes of conditions and schedules, but for what the losses say of their values.

    Args:
        pipeline: choices are allowed.
        columns: the names that the table offers; None leaves unknown ones unreported.

    >>> from tsunagu.spec import Task, condition, node, uniform
    >>> wide, narrow = (condition("delta", uniform(0.1, high)) for high in (1.0, 2.0))
    >>> losses = [LossTerm(key="huber", target="t", args={"delta": each}) for each in (wide, narrow)]
    >>> task = Task(inputs=["x"], output="y", model=node("MLP"), loss=losses)
    >>> print(*check_conditions(Pipeline(tasks={"fit": task}, metric="mse(y, t)")))
    tasks.fit.loss.1.args.delta: 'delta' is defined otherwise at tasks.fit.loss.0.args.delta; give one of them another name
    """
    found = list(_found(pipeline))
    strengths = dict(_strengths(pipeline))
    mistakes = [m for path, value in found if path not in strengths for m in _check_one(path, value)]
    mistakes += [m for path, value in strengths.items() for m in _check_strength(path, value)]
    if mistakes:
        return mistakes
    conditions = [(path, value) for path, value in found if isinstance(value, Condition)]
    mistakes += _check_definitions(conditions)
    mistakes += [m for path, value in conditions for m in _check_columns(path, value, columns)]
    mistakes += _check_read(conditions)
    mistakes += _check_pipeline(pipeline, columns) if conditions else _check_sites(pipeline)
    weights = [path for path, _ in conditions if path[0] == "tasks" and path[-1] == "weight"]
    return mistakes + check_conditioned_weights(pipeline, weights)


def check_parameters(term: LossTerm, path: Path) -> list[Mistake]:
    """The settings of a loss, without choices, that cannot be a condition, or whose range it refuses."""
    cls = find_loss(term.key)
    mistakes = [
        Mistake((*path, "args", name), _fixed(term.key, name, cls.parameters))
        for name, value in term.args.items()
        if isinstance(value, Condition) and name not in cls.parameters
    ]
    if mistakes:
        return mistakes
    settings = {name: plain(value) for name, value in term.args.items()}
    try:
        cls(**settings)
    except (ValueError, TypeError) as error:
        return [Mistake((*path, "args"), str(error))]
    for name, value in term.args.items():
        mistakes += _refused(term.key, settings, name, value, (*path, "args", name))
    weights = [number for number in _numbers(term.weight) if number < 0.0]
    if weights:
        mistakes.append(
            Mistake((*path, "weight"), f"a weight is 0 or more, but its range reaches {min(weights):g}")
        )
    return mistakes


def _refused(key: str, settings: dict[str, Any], name: str, value: object, path: Path) -> Iterator[Mistake]:
    for number in _numbers(value):
        try:
            find_loss(key)(**settings | {name: number})
        except (ValueError, TypeError) as error:
            yield Mistake(path, f"its range reaches {number:g}, which {key} refuses: {error}")
            return


def _numbers(value: object) -> list[float]:
    """Numbers that a condition or schedule can come to, its extremes among them."""
    if isinstance(value, Condition):
        distribution = distribution_of(value)
        place = distribution.names.index(value.part) if value.part is not None else 0
        points: list[float] = distribution.grid(EDGES)[:, place].tolist()
        return points
    if isinstance(value, Schedule):
        curve = curve_of(value)
        return [float(curve.at(step / (EDGES - 1))) for step in range(EDGES)]
    return []


def _fixed(key: str, name: str, parameters: tuple[str, ...]) -> str:
    valid = f"; {key} takes one for {', '.join(parameters)}" if parameters else ""
    return f"'{name}' of {key} is one number for all events and cannot be a condition{valid}"


def _found(pipeline: Pipeline) -> Iterator[tuple[Path, Condition | Schedule]]:
    sections = {"tasks": pipeline.tasks, "train": pipeline.train, "conditions": pipeline.conditions}
    for path, value in walk(sections):
        if isinstance(value, Condition | Schedule):
            yield path, value


def _strengths(pipeline: Pipeline) -> Iterator[tuple[Path, Condition | Schedule]]:
    """What stands as the strength of a reversal and is no plain number."""
    for path, value in walk(pipeline.tasks, ("tasks",)):
        if isinstance(value, Node) and value.key.startswith(REVERSAL):
            for place, part in walk(value.args, (*path, "args")):
                if isinstance(part, Condition | Schedule):
                    yield place, part


def _check_strength(path: Path, value: Condition | Schedule) -> Iterator[Mistake]:
    if isinstance(value, Condition):
        found = "the strength is a number or a schedule; a condition may stand as the weight of the adversary's loss"
        yield Mistake(path, found)
        return
    try:
        numbers = _numbers(value)
    except LookupError as error:
        yield Mistake(path, str(error.args[0]))
    except (ValueError, TypeError) as error:
        yield Mistake(path, f"{value.key}: {error}")
    else:
        if min(numbers) < 0.0:
            yield Mistake(path, f"a strength is 0 or more, but its range reaches {min(numbers):g}")


def _check_one(path: Path, value: Condition | Schedule) -> list[Mistake]:
    if not _is_read(path):
        kind = "condition" if isinstance(value, Condition) else "schedule"
        return [
            Mistake(
                path,
                f"nobody reads a {kind} here; it may stand where a loss takes a number: its weight and its args",
            )
        ]
    try:
        if isinstance(value, Schedule):
            curve_of(value).at(0.0)
            return []
        names = distribution_of(value).names
    except LookupError as error:
        return [Mistake(path, str(error.args[0]))]
    except (ValueError, TypeError) as error:
        return [Mistake(path, f"{value.key}: {error}")]
    if value.column is not None and names:
        return [Mistake(path, f"a column holds one number, but a draw of {value.key} is several")]
    if path[0] == "conditions" or value.part in names or (value.part is None and not names):
        return []
    if not names:
        return [Mistake((*path, "part"), f"a draw of {value.key} is one number and has no parts")]
    near = did_you_mean(value.part, names) if value.part else f"; say part: {names[0]}"
    return [
        Mistake(path, f"a draw of {value.key} has the parts {', '.join(names)}, found {value.part}{near}")
    ]


def _is_read(path: Path) -> bool:
    plain = [step for place, step in enumerate(path) if step != "choice" and path[place - 1] != "choice"]
    if plain[0] == "conditions" or (plain[:2] == ["train", "augment"] and plain[-1] == "size"):
        return True
    return plain[0] == "tasks" and "loss" in plain[2:3] and bool({"weight", "args"} & set(plain[3:5]))


def _check_definitions(conditions: list[tuple[Path, Condition]]) -> Iterator[Mistake]:
    first: dict[str, tuple[Path, Condition]] = {}
    for path, value in conditions:
        before, known = first.setdefault(value.name, (path, value))
        if known.definition != value.definition:
            there = ".".join(map(str, before))
            yield Mistake(
                path, f"'{value.name}' is defined otherwise at {there}; give one of them another name"
            )


def _check_read(conditions: list[tuple[Path, Condition]]) -> Iterator[Mistake]:
    read = {value.name for path, value in conditions if path[0] != "conditions"}
    for path, value in conditions:
        if path[0] == "conditions" and value.name not in read and value.column is None:
            found = f"nobody reads '{value.name}': no loss takes it, and it is no column of the events (column: name)"
            yield Mistake(path, found)


def _check_columns(path: Path, value: Condition, columns: set[str] | None) -> Iterator[Mistake]:
    for step in ("column", "where"):
        name = getattr(value, step)
        if name is not None and columns is not None and name not in columns:
            yield Mistake((*path, step), f"unknown column '{name}'{did_you_mean(name, columns)}")
    if value.where is not None and value.column is None:
        yield Mistake((*path, "where"), "says which events have a value of their own, but there is no column")


def _check_pipeline(pipeline: Pipeline, columns: set[str] | None) -> list[Mistake]:
    mistakes = [
        Mistake(("tasks",), f"'{name}' is what a condition is called, and cannot be a column or an output")
        for name in (CONDITION, VALUES)
        if name in (columns or set()) | {task.output for task in pipeline.tasks.values()}
    ]
    if pipeline.train.joint is not True:
        found = (
            "false trains each task on the outputs of the ones before it, which are made once and kept; those of a task with a "
            "condition are others for each event and epoch; set it to true"
        )
        mistakes.append(Mistake(("train", "joint"), found))
    return mistakes


def _check_sites(pipeline: Pipeline) -> Iterator[Mistake]:
    for name, task in pipeline.tasks.items():
        for path, value in walk(task.model, ("tasks", name, "model")):
            if isinstance(value, Node) and value.key.startswith(("FiLMed_", "FiLMSite")):
                found = (
                    f"{value.key} is a place for a condition, but there is none; declare one where a loss takes a number, as "
                    "{condition: name, log_uniform: [low, high]}, or take "
                    + (value.key.removeprefix("FiLMed_") if "_" in value.key else "it out")
                )
                yield Mistake((*path, "key"), found)
                return
