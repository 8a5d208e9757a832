"""Systematic uncertainties that a training shifts its inputs by: which, and what the shifted columns are made of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.columns import raw_columns
from tsunagu.spec.formulas import is_formula
from tsunagu.spec.models import Study
from tsunagu.spec.nodes import Node, options, walk
from tsunagu.spec.systematics import Scale, Shifted

__all__ = [
    "SYSTEMATIC",
    "check_shifts",
    "raw_variant",
    "shifted_by",
    "shifting_events",
    "variant",
    "variants",
]

SYSTEMATIC = "systematic"
"""The key of the augmentation."""

_NAME = re.compile(r"`([^`]*)`|([^\W\d]\w*(?:\.\w+)*)(?!\w*\s*\()")


def variant(column: str, systematic: str, end: str) -> str:
    """The name of a column as it is at one end of a systematic uncertainty.

    >>> variant("tau_p4", "energy scale", "up")
    'tau_p4__energy_scale__up'
    """
    return re.sub(r"\W", "_", f"{column}__{systematic}__{end}")


def raw_variant(column: str, systematic: str, end: str) -> str:
    """The same of a column of the files, which a declared one may stand in front of."""
    return variant(column, systematic, f"{end}__in_file")


def shifted_by(study: Study) -> list[str]:
    """The systematic uncertainties that inputs of the training are shifted by, those of variations of the study included.

    >>> from tsunagu.spec import Data, LossTerm, Task, Train, node
    >>> task = Task(inputs=["x"], output="score", model=node("MLP"), loss=LossTerm(key="binary", target="y"))
    >>> augment = [node("systematic", name="tes")]
    >>> train = Train(augment=augment)
    >>> shifted_by(Study(data=Data(files="a.npz"), tasks={"classify": task}, metric="auc(score, y)", train=train))
    ['tes']
    """
    return list(dict.fromkeys(str(args.get("name")) for args in _declared(study)))


def shifting_events(study: Study) -> list[str]:
    """The columns that say which events shift."""
    return list(dict.fromkeys(str(args["where"]) for args in _declared(study) if args.get("where")))


def variants(
    names: Collection[str],
    declared: Mapping[str, str | list[str]],
    changed: Collection[str],
    name: str,
    end: str,
) -> tuple[dict[str, str | list[str]], dict[str, str]]:
    """The columns that change with a systematic uncertainty, as they are at one end of it.

    Args:
        names: of the columns that are read.
        declared: columns that are made of others.
        changed: the columns of the files that it changes.
        name: of the uncertainty.
        end: ``up`` or ``down``.

    Returns:
        Declared columns, of which those called :func:`variant` of the names stand for these; and the columns of the files that they
        are made of: the name of the shifted one, and whose it is.

    >>> variants(["p4", "met"], {"p4": ["pt", "eta"], "pt": "1.01 * tau_pt"}, ["tau_pt"], "tes", "up")[0]
    {'p4__tes__up': ['pt__tes__up', 'eta'], 'pt__tes__up': '1.01 * tau_pt__tes__up__in_file'}
    """
    made: dict[str, str | list[str]] = {}
    raw: dict[str, str] = {}

    def renamed(part: str, inside: str) -> str:
        if part in declared and part != inside:
            return add(part) if not raw_columns([part], declared).isdisjoint(changed) else part
        if part not in changed and part != inside:
            return part
        # Inside its own declaration a name is the column of the file, also where that does not change.
        return raw.setdefault(raw_variant(part, name, end), part) and raw_variant(part, name, end)

    def text(part: str, inside: str) -> str:
        if not is_formula(part, {*declared, *changed}):
            return renamed(part, inside)
        return _NAME.sub(lambda found: _quoted(found, renamed(found[1] or found[2], inside)), part)

    def add(column: str) -> str:
        own = variant(column, name, end)
        if own not in made:
            parts = declared.get(column, column)
            made[own] = ""  # keeps its place before what it is made of
            made[own] = text(parts, column) if isinstance(parts, str) else [text(p, column) for p in parts]
        return own

    for column in names:
        if not raw_columns([column], declared).isdisjoint(changed):
            add(column)
    return made, raw


def check_shifts(study: Study, stored: Collection[str] | None) -> Iterator[Mistake]:
    """Shifts of a training that no systematic uncertainty of the study says how to make.

    Args:
        study: without variations.
        stored: the columns of the files; None where they are not known.
    """
    for i, value in enumerate(study.train.augment):
        for path, node in options(value, ("train", "augment", i)):
            if (args := _settings(node)) is not None:
                yield from _check(study, str(args.get("name")), (*path, "args"), args, stored)


def _check(
    study: Study, name: str, path: Path, args: Mapping[str, Any], stored: Collection[str] | None
) -> Iterator[Mistake]:
    each = study.systematics.get(name)
    if each is None:
        near = did_you_mean(name, study.systematics) or "; declare it in systematics"
        yield Mistake((*path, "name"), f"there is no systematic '{name}'{near}")
    elif not isinstance(each, Scale | Shifted):
        found = f"'{name}' is of the kind {each.key}, which changes no input; a scale or a function does"
        yield Mistake((*path, "name"), found)
    elif each.processes is not None and "where" not in args:
        found = (
            f"'{name}' concerns {', '.join(each.processes)} only; say which events shift, as where: column"
        )
        yield Mistake(path, found)
    elif stored is not None and study.analysis is None:
        names = [each.columns] if isinstance(each.columns, str) else each.columns
        for column in [*names, *(each.reads if isinstance(each, Shifted) else [])]:
            if column not in stored:
                near = did_you_mean(column, stored)
                yield Mistake(
                    ("systematics", name, "columns"), f"there is no column of the files '{column}'{near}"
                )


def _declared(study: Study) -> Iterator[Mapping[str, Any]]:
    found = (_settings(value) for _, value in walk([study.train.augment, study.methods, study.vary]))
    return (args for args in found if args is not None)


def _settings(value: object) -> Mapping[str, Any] | None:
    """The arguments of a shift; what is varied may still be plain data."""
    node = vars(value) if isinstance(value, Node) else value
    if not isinstance(node, Mapping) or node.get("key") != SYSTEMATIC:
        return None
    args = node.get("args")
    return args if isinstance(args, Mapping) else None


def _quoted(found: re.Match[str], name: str) -> str:
    return found[0] if name in (found[1], found[2]) else name
