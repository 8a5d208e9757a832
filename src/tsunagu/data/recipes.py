"""Derived columns: which file columns a name is made of, and the check that they are there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from tsunagu.data.formulas import evaluate
from tsunagu.data.listing import listed
from tsunagu.data.source import Array, Column, Source
from tsunagu.errors import DataError, did_you_mean
from tsunagu.spec.formulas import is_formula, parse_formula

__all__ = [
    "Declared",
    "Formula",
    "Plan",
    "Recipe",
    "build",
    "check_names",
    "computed",
    "leaves",
    "plain",
    "plan_columns",
    "recipe",
    "title",
]

Declared = Mapping[str, str | list[str]]


@final
@dataclass(frozen=True)
class Formula:
    """A column that is computed: the text, and what each name in it is made of."""

    text: str
    parts: tuple[tuple[str, Recipe], ...]


Recipe = str | tuple["Recipe", ...] | Formula
"""A column of the file, parts that are stacked on a new last axis, or a formula."""


@final
@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to read and what to make of it; ``problems`` are the sentences about all that is not possible."""

    recipes: Mapping[str, Recipe]
    raw: tuple[str, ...]
    problems: tuple[str, ...] = field(default=())


def recipe(name: str, declared: Declared, known: Collection[str] = (), seen: tuple[str, ...] = ()) -> Recipe:
    """Follow a name through the declared columns down to columns of the file.

    A declared column may be made of declared ones. Inside its own declaration a name means the column of the
    file, so ``jet_pt: jet_pt_up`` shifts everything that is made of ``jet_pt``.

    Args:
        name: of a column, or a formula.
        declared: the columns that are made of others.
        known: the columns of the files; one of them is meant before a formula is.
        seen: the names on the way.

    Raises:
        DataError: columns that are made of each other, and formulas that cannot be read.

    >>> recipe("jet_p4", {"jet_p4": ["jet_pt", "jet_eta"], "jet_pt": "jet_pt_up"})
    ('jet_pt_up', 'jet_eta')
    >>> recipe("ht", {"ht": "jet_pt + met"})
    Formula(text='jet_pt + met', parts=(('jet_pt', 'jet_pt'), ('met', 'met')))
    """
    if name not in declared or seen[-1:] == (name,):
        return _formula(name, declared, known, seen) if is_formula(name, known) else name
    if name in seen:
        message = f"columns: {' <- '.join((*seen, name))} are made of each other"
        raise DataError(message)
    parts = declared[name]
    if isinstance(parts, str):
        return recipe(parts, declared, known, (*seen, name))
    return tuple(recipe(part, declared, known, (*seen, name)) for part in parts)


def _formula(text: str, declared: Declared, known: Collection[str], seen: tuple[str, ...]) -> Formula:
    try:
        names = parse_formula(text).names
    except DataError as error:
        near = did_you_mean(text, known, most=0)
        where = f"columns: {seen[-1]}: " if seen else ""
        message = f"{where}{error}{near}"
        raise DataError(message) from error
    return Formula(text, tuple((part, recipe(part, declared, known, seen)) for part in names))


def leaves(made: Recipe) -> Iterator[str]:
    """The file columns of a recipe.

    >>> list(leaves(("jet_pt", ("a", "b"))))
    ['jet_pt', 'a', 'b']
    """
    if isinstance(made, str):
        yield made
    else:
        for part in _parts(made):
            yield from leaves(part)


def computed(made: Recipe) -> bool:
    """Whether a recipe has a formula in it, whose values may be NaN where those of the file are not."""
    return isinstance(made, Formula) or (not isinstance(made, str) and any(map(computed, made)))


def plain(made: Recipe) -> Any:
    """A recipe as JSON can tell it.

    >>> plain(("jet_pt", recipe("2 * met", {})))
    ['jet_pt', {'formula': '2 * met', 'of': {'met': 'met'}}]
    """
    if isinstance(made, Formula):
        return {"formula": made.text, "of": {name: plain(part) for name, part in made.parts}}
    return made if isinstance(made, str) else [plain(part) for part in made]


def build(made: Recipe, raw: Mapping[str, Array]) -> Array:
    """Make a column: the array of the file itself, a stack ``[E, ..., parts]``, or the value of a formula.

    >>> build(("pt", "eta"), {"pt": np.array([[30.0, 40.0]]), "eta": np.array([[0.5, 1.5]])}).tolist()
    [[[30.0, 0.5], [40.0, 1.5]]]
    """
    if isinstance(made, str):
        return raw[made]
    if isinstance(made, Formula):
        return evaluate(made.text, {name: build(part, raw) for name, part in made.parts})
    return np.stack([build(part, raw) for part in made], axis=-1)


def _parts(made: tuple[Recipe, ...] | Formula) -> Iterable[Recipe]:
    return [part for _, part in made.parts] if isinstance(made, Formula) else made


def plan_columns(
    sources: Sequence[Source], declared: Declared, needed: Sequence[str] | None, roles: Sequence[str]
) -> Plan:
    """Plan what to read: the needed columns and those with a role, with all problems found on the way.

    Args:
        sources: the files; all must have all the columns that are read.
        declared: derived columns; all of them are checked, also those that are not needed.
        needed: None for all that can be read.
        roles: names of the columns for event number and weights.

    >>> from tsunagu.data import ArraySource
    >>> source = ArraySource({"jet_pt": np.ones(3)}, "a.npz")
    >>> plan_columns([source], {"pt": "jet_tp"}, ["pt"], []).problems
    ("a.npz: no column 'jet_tp' (did you mean 'jet_pt'?); 'pt' is made of it",)
    """
    available = list(dict.fromkeys(name for source in sources for name in source.names()))
    wanted = dict.fromkeys([*declared, *(available if needed is None else needed), *roles])
    recipes, problems = _recipes(wanted, declared, {*available})
    raw = dict.fromkeys(leaf for made in recipes.values() for leaf in leaves(made))
    found = {leaf: _missing(leaf, sources, recipes, declared) or _mismatch(leaf, sources) for leaf in raw}
    problems += [line for lines in found.values() for line in lines]
    good = {leaf for leaf, lines in found.items() if not lines}
    whole = {name: made for name, made in recipes.items() if good.issuperset(leaves(made))}
    stacks = {name: _stack_problem(name, made, sources[0]) for name, made in whole.items()}
    problems += [line for line in stacks.values() if line]
    read = [name for name in wanted if name in whole and not stacks[name] and _is_used(name, needed, roles)]
    return Plan(
        recipes={name: whole[name] for name in read},
        raw=tuple(dict.fromkeys(leaf for name in read for leaf in leaves(whole[name]))),
        problems=tuple(problems),
    )


def check_names(sources: Sequence[Source], names: Iterable[str]) -> list[str]:
    """Names that are a column of no file, where only columns of files make sense.

    >>> from tsunagu.data import ArraySource
    >>> check_names([ArraySource({"jet_pt": np.ones(3)}, "a.npz")], ["jet_tp"])
    ["a.npz: no column 'jet_tp' (did you mean 'jet_pt'?)"]
    """
    known = dict.fromkeys(name for source in sources for name in source.names())
    where = listed([source.name for source in sources])
    return [f"{where}: no column '{name}'{did_you_mean(name, known)}" for name in names if name not in known]


def _is_used(name: str, needed: Sequence[str] | None, roles: Sequence[str]) -> bool:
    return needed is None or name in needed or name in roles


def _recipes(
    wanted: Mapping[str, None], declared: Declared, known: Collection[str]
) -> tuple[dict[str, Recipe], list[str]]:
    recipes: dict[str, Recipe] = {}
    problems: list[str] = []
    for name in wanted:
        try:
            recipes[name] = name if name in known and name not in declared else recipe(name, declared, known)
        except DataError as error:
            problems.append(str(error))
    return recipes, problems


def _missing(
    leaf: str, sources: Sequence[Source], recipes: Mapping[str, Recipe], declared: Declared
) -> list[str]:
    lacking = [source for source in sources if leaf not in source.names()]
    users = [name for name, made in recipes.items() if name != leaf and leaf in leaves(made)]
    use = f"; '{users[0]}' is made of it" if users else ""
    having = next((source.name for source in sources if leaf in source.names()), None)
    if having is not None:
        return [f"{source.name}: {_reason(leaf, source, [])}, which {having} has{use}" for source in lacking]
    valid = [*sources[0].names(), *declared.keys() - {leaf, *users}] if sources else []
    return [f"{listed([source.name for source in lacking])}: {_reason(leaf, sources[0], valid)}{use}"]


def _reason(leaf: str, source: Source, valid: Sequence[str]) -> str:
    if leaf in source.unreadable:
        return f"column '{leaf}' cannot be read: {source.unreadable[leaf]}"
    return f"no column '{leaf}'{did_you_mean(leaf, valid)}"


def _mismatch(leaf: str, sources: Sequence[Source]) -> list[str]:
    types = {source.name: source.names()[leaf] for source in sources}
    first = sources[0].name
    return [
        f"{name}: column '{leaf}' is {_text(kind)}, but {_text(types[first])} in {first}"
        for name, kind in types.items()
        if (kind.shape, kind.dtype.kind) != (types[first].shape, types[first].dtype.kind)
    ]


def _text(kind: Column) -> str:
    return f"{kind.dtype} [{', '.join(['E', *map(str, kind.shape)])}]"


def _stack_problem(name: str, made: Recipe, source: Source) -> str | None:
    try:
        _shape(made, source.names())
    except DataError as error:
        return f"{source.name}: column '{name}': {error}"
    return None


def _shape(made: Recipe, types: Mapping[str, Column]) -> tuple[int, ...]:
    if isinstance(made, str):
        return types[made].shape
    if isinstance(made, Formula):
        none = {n: np.empty((0, *types[n].shape), types[n].dtype) for n in leaves(made)}
        return build(made, none).shape[1:]
    parts = {title(part): _shape(part, types) for part in made}
    if len(set(parts.values())) != 1:
        found = ", ".join(f"{part} [{', '.join(['E', *map(str, shape)])}]" for part, shape in parts.items())
        message = f"only columns of one shape can be stacked, found {found or 'none'}"
        raise DataError(message)
    return (*next(iter(parts.values())), len(made))


def title(made: Recipe) -> str:
    """The words for a recipe in a message."""
    return made.text if isinstance(made, Formula) else " + ".join(leaves(made))
