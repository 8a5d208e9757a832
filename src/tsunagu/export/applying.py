"""Score event files, and write the scores back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.data import fold_of
from tsunagu.data.source import Array
from tsunagu.errors import DataError, did_you_mean
from tsunagu.export.columns import ENDINGS, can_write, write_with
from tsunagu.export.conditions import given_values
from tsunagu.export.events import Events, Needs, read_events
from tsunagu.export.model import Mode, Model
from tsunagu.export.reading import EventFile, open_events, places_of
from tsunagu.export.targets import targets_of

__all__ = ["Applied", "apply_model"]

CHUNK = 8192
"""Events at a time."""
SCORED_BY = "_test_fold"
UNSCORED = -2
"""The test fold of an event without a score."""


@final
@dataclass(frozen=True, kw_only=True)
class Applied:
    """What became of a file.

    Args:
        source: the file.
        path: what was written.
        events: how many.
        scored: how many of them pass the selection of the study, and have scores; the others have NaN.
        columns: the new ones.
        is_friend: whether a friend tree was written beside the file, which could not take new branches.
        seen: events in folds that a single model was trained or chosen on, if they are events of the study.
    """

    source: str
    path: Path
    events: int
    scored: int
    columns: Sequence[str]
    is_friend: bool
    seen: int


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Scores:
    """Of some events: outputs ``[E, ...]``, the fold of the model that made them, and event numbers, if there are any."""

    made: dict[str, Array]
    fold: NDArray[np.int64]
    number: NDArray[np.int64] | None


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Scorer:
    """A model, which of its outputs are made how, and at which values of conditions."""

    model: Model
    names: Sequence[str]
    mode: Mode
    needs: Needs
    at: Mapping[str, Array]

    @property
    def numbered(self) -> bool:
        """Whether event numbers are needed."""
        return self.mode != "mean" and len(self.model.sessions) > 1

    def first(self, source: EventFile) -> Events | None:
        """The first event, or None."""
        return next(read_events(source.source, self.needs, 1, numbered=self.numbered), None)

    def all_of(self, source: EventFile) -> _Scores:
        """The scores of a file."""
        chunks = read_events(source.source, self.needs, CHUNK, numbered=self.numbered)
        parts = [self._some(events) for events in chunks]
        numbers = [part.number for part in parts if part.number is not None]
        return _Scores(
            made={name: np.concatenate([part.made[name] for part in parts]) for name in self.names},
            fold=np.concatenate([part.fold for part in parts]),
            number=np.concatenate(numbers) if numbers else None,
        )

    def _some(self, events: Events) -> _Scores:
        passed, number = events.passed, events.number
        shapes = {each.name: each.shape for each in self.model.manifest.outputs}
        made: dict[str, Array] = {
            n: np.full((len(passed), *shapes[n]), np.nan, dtype=np.float32) for n in self.names
        }
        fold = np.full(len(passed), UNSCORED, dtype=np.int64)
        if passed.any():
            own = None if number is None else number[passed]
            columns = {
                each.name: _as_read(events.columns[each.name], each.dtype) for each in self.model.columns
            }
            scores, fold[passed] = self.model.score({**columns, **self.at}, own, self.mode)
            for name, values in made.items():
                values[passed] = scores[name]
        return _Scores(made=made, fold=fold, number=number)


def apply_model(
    folder: Path,
    files: Sequence[str | Path],
    out: Path,
    *,
    mode: Mode = "own",
    outputs: Sequence[str] = (),
    prefix: str = "",
    tree: str | None = None,
    process: str | None = None,
    every: bool = False,
    at: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> list[Applied]:
    """Write copies of event files with the scores of an exported chain as new columns.

    Files are read as the study has read its own: units, codes for missing values, derived columns, padding. Events that its
    selection leaves out get NaN.

    Beside every score ``x`` comes ``x_test_fold``, the test fold of the model that made it, so that a later study can be
    shown not to learn from events that the model has seen.

    Args:
        folder: of the export.
        files: names and globs, also with a tree behind them, as in ``data/*.root:Events``.
        out: the folder of the copies, which keep their names; for a single file also a file name.
        mode: which model scores an event; see :meth:`Model.score`.
        outputs: which are written; those that no other task reads by default.
        prefix: before the names of the new columns.
        tree: of ROOT files, or group of HDF5 files; that of the study by default, else the only one.
        process: whose events they are, where columns or the event number depend on it.
        every: whether events that the selection of the study leaves out are scored as well.
        at: a value for each condition that is still open; the middle of its range by default.
        overwrite: whether files that are there are replaced.

    Raises:
        DataError: files or columns that are not what the models need; all files are looked at before any is written.
        ResumeError: a file cannot be read or written. A copy is whole or absent.
    """
    model = Model.load(folder)
    needs = replace(model.needs, select=None) if every else model.needs
    names, values = _wanted(model, outputs), given_values(model.conditions, at or {})
    scorer = _Scorer(model=model, names=names, mode=mode, needs=needs, at=values)
    sources = [_open(path, model, place=tree or place, process=process) for path, place in places_of(files)]
    targets = targets_of([source.path for source in sources], out, overwrite)
    _check(scorer, sources)
    return [_apply(scorer, source, target, prefix) for source, target in zip(sources, targets, strict=True)]


def _apply(scorer: _Scorer, source: EventFile, target: Path, prefix: str) -> Applied:
    scores = scorer.all_of(source)
    columns: dict[str, Array] = {}
    for name in scorer.names:
        columns[prefix + name] = scores.made[name]
        columns[prefix + name + SCORED_BY] = scores.fold
    written = write_with(source, target, columns, scores.number)
    passed = scores.fold != UNSCORED
    number = None if scores.number is None else scores.number[passed]
    return Applied(
        source=source.source.name,
        path=written,
        events=len(passed),
        scored=int(passed.sum()),
        columns=list(columns),
        is_friend=written != target,
        seen=_seen(scorer.model, number),
    )


def _wanted(model: Model, outputs: Sequence[str]) -> list[str]:
    known = [output.name for output in model.manifest.outputs]
    for name in outputs:
        if name not in known:
            msg = f"the models make no output '{name}'{did_you_mean(name, known)}"
            raise DataError(msg)
    return list(outputs) or [output.name for output in model.manifest.outputs if output.final]


def _open(path: Path, model: Model, *, place: str | None, process: str | None) -> EventFile:
    if not can_write(path):
        msg = f"{path}: scores cannot be written into '{path.suffix}' (valid: {', '.join(ENDINGS)})"
        raise DataError(msg)
    return open_events(path, model.manifest.reading, place=place, process=process)


def _check(scorer: _Scorer, sources: Sequence[EventFile]) -> None:
    """Look at the first event of every file: whatever is wrong with a column is known before anything is written."""
    problems = []
    for source in sources:
        try:
            first = scorer.first(source)
        except DataError as error:
            problems.append(str(error))
            continue
        if first is None:
            problems.append(f"{source.source.name}: there is no event in it")
        else:
            problems += _unlike(scorer.model, source, first)
    if problems:
        raise DataError("\n".join(problems))


def _unlike(model: Model, source: EventFile, first: Events) -> list[str]:
    found = {n: (column.dtype, list(column.shape[1:])) for n, column in first.columns.items()}
    return [
        f"{source.source.name}: column '{each.name}': an event is {' '.join(map(str, found[each.name]))}, and the models "
        f"read {each.dtype} {list(each.shape)}"
        for each in model.columns
        if found[each.name][1] != list(each.shape) or not _is_read_as(found[each.name][0], each.dtype)
    ]


def _is_read_as(found: np.dtype[Any], wanted: str) -> bool:
    """Whole numbers may stand where a model reads others: some formats do not tell 30 from 30.0."""
    return str(found) == wanted or (found.kind in "ib" and wanted == "float32")


def _as_read(column: Array, wanted: str) -> Array:
    return column.astype(wanted, copy=False)


def _seen(model: Model, number: Array | None) -> int:
    if len(model.sessions) > 1 or number is None:
        return 0
    (fold,) = model.sessions
    return int((fold_of(number, model.manifest.k) != fold).sum())
