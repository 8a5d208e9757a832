"""The columns that a study names: are they there, and is a derived one the truth under another name?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.graph import all_inputs, targets
from tsunagu.spec.models import Data, Pipeline

__all__ = ["check_columns", "check_leaks", "leaves_of"]

ROLES = ("weight", "train_weight", "event_number")


def check_columns(data: Data, stored: Iterable[str] | None) -> list[Mistake]:
    """The names in a data section that are no columns, and columns that are made of each other.

    Args:
        data: names columns as weights, as event number, and as what others are made of.
        stored: the columns of the files; None where they are not known.

    >>> data = Data(files="a.npz", columns={"met": "met_pt"}, weight="wieght")
    >>> print(*check_columns(data, ["met_et", "weight", "event_number"]), sep="\\n")
    data.columns.met: there is no column 'met_pt' (did you mean 'met_et'?)
    data.weight: there is no column 'wieght' (did you mean 'weight'?)
    """
    circle = _check_circle(data)
    if stored is None:
        return circle
    known = {*stored}
    # Inside its own declaration a name is the column of the file.
    named = [(path, name, known | data.columns.keys() - {path[2]}) for path, name in _parts(data)]
    named += [
        (("data", role), str(name), known | data.columns.keys())
        for role in ROLES
        if (name := getattr(data, role)) is not None
    ]
    named += [(("data", "missing", name), name, known) for name in data.missing]
    named += [(("data", "keep", name), name, known | data.columns.keys()) for name in data.keep]
    return circle + [
        Mistake(path, f"there is no column '{name}'{did_you_mean(name, valid)}")
        for path, name, valid in named
        if name not in valid
    ]


def check_leaks(data: Data, pipeline: Pipeline) -> list[Mistake]:
    """Inputs that are the truth under another name: a copy of a target, a part of one, or what holds all of one.

    A target may share *some* columns with an input: the measured direction beside the true momentum, say.

    >>> from tsunagu.spec import LossTerm, Task, node
    >>> task = Task(inputs=["label"], output="score", model=node("MLP"), loss=LossTerm(key="mse", target="is_higgs"))
    >>> pipeline = Pipeline(tasks={"classify": task}, metric="auc(score, is_higgs)")
    >>> print(*check_leaks(Data(files="a.npz", columns={"is_higgs": "label"}), pipeline))
    tasks.classify.inputs.0: the truth leaks: 'label' shares label with the target 'is_higgs', so it may not be an input
    """
    made = {name: set(leaves_of(name, data.columns)) for name in sorted(targets(pipeline))}
    truth = {leaf for leaves in made.values() for leaf in leaves}
    outputs = {task.output for task in pipeline.tasks.values()}
    mistakes: list[Mistake] = []
    for path, column in all_inputs(pipeline):
        leaves = set(leaves_of(column, data.columns))
        if (
            column in made or column in outputs or not leaves & truth
        ):  # a target itself is reported by the graph
            continue
        whole = next((name for name, parts in made.items() if parts <= leaves), None)
        target = whole or next(name for name, parts in made.items() if parts & leaves)
        if whole or leaves <= truth:
            shared = ", ".join(sorted(made[target] & leaves))
            found = f"the truth leaks: '{column}' shares {shared} with the target '{target}'"
            mistakes.append(Mistake(path, f"{found}, so it may not be an input"))
    return mistakes


def _check_circle(data: Data) -> list[Mistake]:
    edges: dict[str, list[str]] = {name: [] for name in data.columns}
    for path, part in _parts(data):
        name = str(path[2])
        edges[name] += [part] if part in edges and part != name else []
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        return [Mistake(("data", "columns", names[0]), f"made of each other: {' -> '.join(names)}")]
    return []


def _parts(data: Data) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for name, made in data.columns.items():
        if isinstance(made, str):
            found.append((("data", "columns", name), made))
        else:
            found += [(("data", "columns", name, i), part) for i, part in enumerate(made)]
    return found


def leaves_of(name: str, columns: Mapping[str, str | list[str]], above: tuple[str, ...] = ()) -> list[str]:
    """The columns of the files that a column is made of.

    >>> leaves_of("p4", {"p4": ["pt", "eta"], "pt": "jet_pt"})
    ['jet_pt', 'eta']
    """
    if name not in columns or name in above:
        return [name]
    made = columns[name]
    parts = [made] if isinstance(made, str) else made
    return [leaf for part in parts for leaf in leaves_of(part, columns, (*above, name))]
