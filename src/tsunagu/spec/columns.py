"""The columns that a study names: are they there, and is a derived one the truth under another name?"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from tsunagu.errors import DataError, Mistake, Path, did_you_mean
from tsunagu.spec.formulas import is_formula, parse_formula
from tsunagu.spec.graph import all_inputs, targets
from tsunagu.spec.models import Data, Pipeline

__all__ = ["check_columns", "check_leaks", "leaves_of", "made_with", "raw_columns"]

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
    known = {*(stored or ())}
    mistakes = [] if stored is None else _check_formulas(data, known)
    mistakes += _check_circle(data, known)
    if stored is None or mistakes:
        return mistakes
    valid = known | data.columns.keys()
    # Inside its own declaration a name is the column of the file.
    named = [(path, name, known | data.columns.keys() - {path[2]}) for path, name in _parts(data, known)]
    named += [(path, name, valid) for path, text in _roles(data) for name in _names(text, valid)]
    named += [(("data", "missing", name), name, known) for name in data.missing]
    named += [(("data", "keep", name), name, valid) for name in data.keep]
    for part in ("units", "missing_codes"):
        patterns = [name for name in getattr(data, part) if not fnmatch.filter(known, name)]
        named += [(("data", part, name), name, known) for name in patterns]
    return [
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


def _check_formulas(data: Data, known: Collection[str]) -> list[Mistake]:
    """Formulas that cannot be read."""
    mistakes: list[Mistake] = []
    valid = {*known, *data.columns}
    for path, text in [*_texts(data), *_roles(data)]:
        try:
            _names(text, valid)
        except DataError as error:
            mistakes.append(Mistake(path, f"{error}{did_you_mean(text, valid, most=0)}"))
    return mistakes


def _check_circle(data: Data, known: Collection[str]) -> list[Mistake]:
    edges: dict[str, list[str]] = {name: [] for name in data.columns}
    try:
        for path, part in _parts(data, known):
            name = str(path[2])
            edges[name] += [part] if part in edges and part != name else []
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        return [Mistake(("data", "columns", names[0]), f"made of each other: {' -> '.join(names)}")]
    except DataError:  # a formula that cannot be read has been reported as such
        pass
    return []


def _names(text: str, known: Collection[str]) -> list[str]:
    """The columns that a text names: itself, or those of a formula."""
    return list(parse_formula(text).names) if is_formula(text, known) else [text]


def _roles(data: Data) -> list[tuple[Path, str]]:
    """The texts that need not be made: what has a role, and the selection."""
    roles = [(("data", role), getattr(data, role)) for role in (*ROLES, "select", "classes")]
    return [(path, text) for path, text in roles if text is not None]


def _texts(data: Data) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for name, made in data.columns.items():
        if isinstance(made, str):
            found.append((("data", "columns", name), made))
        else:
            found += [(("data", "columns", name, i), part) for i, part in enumerate(made)]
    return found


def _parts(data: Data, known: Collection[str]) -> list[tuple[Path, str]]:
    valid = {*known, *data.columns}
    return [(path, name) for path, text in _texts(data) for name in _names(text, valid)]


def leaves_of(name: str, columns: Mapping[str, str | list[str]], above: tuple[str, ...] = ()) -> list[str]:
    """The columns of the files that a column is made of.

    >>> leaves_of("p4", {"p4": ["pt", "eta"], "pt": "jet_pt * 1.02"})
    ['jet_pt', 'eta']
    """
    if name not in columns or name in above:
        return [name]
    made = columns[name]
    texts = [made] if isinstance(made, str) else made
    parts = [part for text in texts for part in _names_or_itself(text, columns)]
    return [leaf for part in parts for leaf in leaves_of(part, columns, (*above, name))]


def raw_columns(texts: Iterable[str], columns: Mapping[str, str | list[str]]) -> set[str]:
    """The columns of the files that names or formulas are made of.

    >>> sorted(raw_columns(["ht > 20 and eta < 2"], {"ht": ["pt", "met"]}))
    ['eta', 'met', 'pt']
    """
    names = [name for text in texts for name in _names_or_itself(text, columns)]
    return {leaf for name in names for leaf in leaves_of(name, columns)}


def made_with(names: Iterable[str], columns: Mapping[str, str | list[str]]) -> list[str]:
    """The declared columns among these names or formulas, and those that these are made of.

    >>> made_with(["ht + met", "eta"], {"ht": "2 * pt", "pt": "jet_pt", "y": "label"})
    ['ht', 'pt']
    """
    found: dict[str, None] = {}
    left = [part for name in names for part in _names_or_itself(name, columns)]
    while left:
        name = left.pop(0)
        if name in columns and name not in found:
            found[name] = None
            texts = columns[name]
            left += [
                p
                for text in ([texts] if isinstance(texts, str) else texts)
                for p in _names_or_itself(text, columns)
            ]
    return list(found)


def _names_or_itself(text: str, known: Collection[str]) -> list[str]:
    try:
        return _names(text, known)
    except DataError:
        return [text]
