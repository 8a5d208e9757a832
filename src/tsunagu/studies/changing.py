"""What systematic uncertainties make of the columns of files."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from tsunagu.data import Change, ShiftedSource, Source, VariedSource, scaled_by
from tsunagu.data.source import Array
from tsunagu.errors import Mistake, SpecError
from tsunagu.spec import Data, Scale, Shifted, SomeSystematic, Study, canonical
from tsunagu.spec.shifts import shifted_by, variants

__all__ = ["Ends", "changes", "ends_of"]


@final
@dataclass(frozen=True)
class Ends:
    """What is read for the shifts of a training, beside the nominal columns.

    Args:
        columns: that are declared.
        missing: what stands in place of NaN in columns of the files.
        change: adds the shifted columns to a file.
    """

    columns: Mapping[str, str | list[str]]
    missing: Mapping[str, float]
    change: Callable[[Source], Source]


def ends_of(study: Study, names: Sequence[str]) -> Ends | None:
    """The ends of all shifts of the trainings of a study; None without any.

    Args:
        study: with its variations.
        names: of the columns that are read.

    Raises:
        SpecError: a function that cannot be imported.
    """
    columns: dict[str, str | list[str]] = {}
    files: list[tuple[Change, list[str], list[str], dict[str, str]]] = []
    for name in shifted_by(study):
        for end, (change, changed, reads) in changes(study.systematics[name], name).items():
            made, raw = variants(names, study.data.columns, changed, name, end)
            columns |= made
            files.append((change, changed, reads, raw))
    if not columns:
        return None
    done = _treatment(study)

    def varied(source: Source) -> Source:
        others = [(ShiftedSource(source, how, changed, reads), raw) for how, changed, reads, raw in files]
        return VariedSource(source, others, done)

    return Ends(columns, _missing(study.data, [raw for *_, raw in files]), varied)


def _missing(data: Data, shifted: Sequence[Mapping[str, str]]) -> dict[str, float]:
    pairs = (pair for raw in shifted for pair in raw.items())
    return {name: data.missing[of] for name, of in pairs if of in data.missing}


def _treatment(study: Study) -> str | None:
    """What tells mapped columns of other shifts apart; nothing does where a function may be another one next time."""
    used = {name: study.systematics[name] for name in shifted_by(study)}
    return None if any(isinstance(each, Shifted) for each in used.values()) else canonical(used)


def changes(each: SomeSystematic, name: str) -> dict[str, tuple[Change, list[str], list[str]]]:
    """At each end of a systematic uncertainty, what changes columns, which it changes, and which it is given beside these.

    Args:
        each: of any kind; those that change no column have no ends here.
        name: of it, for messages.

    Raises:
        SpecError: a function that cannot be imported.
    """
    if not isinstance(each, Scale | Shifted):
        return {}
    columns = [each.columns] if isinstance(each.columns, str) else each.columns
    sizes = {"up": each.up, "down": each.down}
    told = {end: size for end, size in sizes.items() if size is not None}
    if isinstance(each, Scale):
        return {end: (scaled_by(columns, size), columns, []) for end, size in told.items()}
    function = _imported(each.function, name)
    return {end: (partial(_called, function, size), columns, each.reads) for end, size in told.items()}


def _called(function: Callable[..., Any], size: float, given: Mapping[str, Array]) -> Mapping[str, Array]:
    found: Mapping[str, Array] = function(given, size)
    return found


def _imported(place: str, name: str) -> Callable[..., Any]:
    module, _, function = place.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        path = ("systematics", name, "function")
        raise SpecError([Mistake(path, f"'{place}' cannot be imported: {error}")]) from error
    return found
