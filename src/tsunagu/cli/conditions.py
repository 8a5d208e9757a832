"""What ``tsunagu plan`` says of conditions and schedules: from which range, who reads them, where they enter the networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table as Grid

from tsunagu.layers import Conditioned, film_sites
from tsunagu.losses import Scalarisation
from tsunagu.spec import Condition, Pipeline, Schedule, resolve, some_architectures, walk
from tsunagu.tasks import build_graph, conditions_of, scalarisation_of

__all__ = ["describe_conditions", "spelled"]


def describe_conditions(pipeline: Pipeline) -> Iterator[Grid | str]:
    """A table of the conditions, and a sentence on where they enter; nothing without any.

    Args:
        pipeline: choices are allowed; the first architecture is shown.
    """
    plain = resolve(pipeline, next(iter(some_architectures(pipeline))))
    conditions = conditions_of(plain)
    if not conditions:
        return
    readers: dict[str, list[str]] = {}
    first: dict[str, Condition] = {}
    sections = {"tasks": plain.tasks, "augment": plain.train.augment, "conditions": plain.conditions}
    for path, value in walk(sections):
        if isinstance(value, Condition):
            first.setdefault(value.name, value)
            if path[0] != "conditions":
                steps = path[1:] if path[0] == "tasks" else ("train", *path)
                readers.setdefault(value.name, []).append(
                    ".".join(str(step) for step in steps if step != "args")
                )
    grid = Grid(title="Conditions: drawn for each event, chosen after the training")
    for name in ("condition", "from", "numbers", "read by"):
        grid.add_column(name)
    for declared in conditions.each:
        value = first[declared.name]
        read = [*readers.get(declared.name, ()), *([f"column {value.column}"] if value.column else [])]
        shared = f", one draw for {declared.events} events" if declared.events > 1 else ""
        grid.add_row(declared.name, drawn_from(value) + shared, ", ".join(declared.labels), ", ".join(read))
    yield grid
    scalarisation = scalarisation_of(plain)
    if scalarisation is not None:
        yield f"mean losses become one number by {spelled_scalarisation(scalarisation)}, in place of their weighted sum"
    models = build_graph(plain, seed=0).models.items()
    found = {name: film_sites(model) for name, model in models if isinstance(model, Conditioned)}
    yield "they enter at " + "; ".join(
        f"{len(sites)} site{'s'[: len(sites) > 1]} of {name} ({sum(site.features for site in sites.values()):,} features)"
        for name, sites in found.items()
    )


def drawn_from(value: Condition) -> str:
    """The distribution of a condition.

    >>> drawn_from(Condition("beta", "log_uniform", [1e-6, 1.0]))
    'log_uniform(1e-06, 1.0)'
    """
    args = value.args
    parts = [f"{n}={part}" for n, part in args.items()] if isinstance(args, dict) else map(str, args)
    return f"{value.key}({', '.join(parts)})"


def spelled_scalarisation(scalarisation: Scalarisation) -> str:
    """A scalarisation in few words.

    >>> from tsunagu.losses import make_scalarisation
    >>> spelled_scalarisation(make_scalarisation("stch", {"mu": 0.05}))
    'stch(mu=0.05)'
    """
    settings = ", ".join(f"{name}={value:g}" for name, value in scalarisation.settings)
    return f"{scalarisation.key}({settings})"


def spelled(value: Any) -> str:
    """A setting of a loss in few words.

    >>> spelled(Condition("beta", "log_uniform", [1e-6, 1.0])), spelled(0.5)
    ('<beta>', '0.5')
    """
    if isinstance(value, Condition):
        return f"<{value.name if value.part is None else f'{value.name}.{value.part}'}>"
    return f"<{value.key} {value.args}>" if isinstance(value, Schedule) else str(value)
