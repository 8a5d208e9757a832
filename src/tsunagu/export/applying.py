"""Score event files, and write the scores back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from tsunagu.data import Source, fold_of, open_source
from tsunagu.data.files import find_files
from tsunagu.data.source import Array
from tsunagu.errors import DataError, did_you_mean
from tsunagu.export.columns import can_write, target_of, write_with
from tsunagu.export.events import Events, read_events
from tsunagu.export.model import Mode, Model
from tsunagu.export.tree import TreeSource

__all__ = ["Applied", "apply_model"]

CHUNK = 8192
"""Events at a time."""
SCORED_BY = "_test_fold"


@final
@dataclass(frozen=True, kw_only=True)
class Applied:
    """What became of a file.

    Args:
        source: the file.
        path: what was written.
        events: how many.
        columns: the new ones.
        is_friend: whether a friend tree was written beside the file, which could not take new branches.
        seen: events in folds that a single model was trained or chosen on, if they are events of the study.
    """

    source: str
    path: Path
    events: int
    columns: Sequence[str]
    is_friend: bool
    seen: int


def apply_model(
    folder: Path,
    files: Sequence[str | Path],
    out: Path,
    *,
    mode: Mode = "own",
    outputs: Sequence[str] = (),
    prefix: str = "",
    tree: str | None = None,
    replace: bool = False,
) -> list[Applied]:
    """Write copies of event files with the scores of an exported chain as new columns.

    Beside every score ``x`` comes ``x_test_fold``, the test fold of the model that made it, so that a later study can be
    shown not to learn from events that the model has seen.

    Args:
        folder: of the export.
        files: names and globs.
        out: the folder of the copies, which keep their names; for a single file also a file name.
        mode: which model scores an event; see :meth:`Model.score`.
        outputs: which are written; those that no other task reads by default.
        prefix: before the names of the new columns.
        tree: of ROOT files; the only one by default.
        replace: whether files that are there are replaced.

    Raises:
        DataError: files or columns that are not what the models need; all files are looked at before any is written.
        ResumeError: a file cannot be read or written. A copy is whole or absent.
    """
    model = Model.load(folder)
    names = _wanted(model, outputs)
    sources = [_open(path, tree) for pattern in files for path in find_files(pattern)]
    targets = _targets(sources, out, replace)
    _check(model, sources, mode)
    return [
        _apply(model, source, target, names, mode, prefix)
        for source, target in zip(sources, targets, strict=True)
    ]


def _apply(
    model: Model, source: Source, target: Path, names: Sequence[str], mode: Mode, prefix: str
) -> Applied:
    numbered = mode == "own" and len(model.sessions) > 1
    parts: list[tuple[dict[str, Array], Array, Array | None]] = []
    for events in read_events(source, model.needs, CHUNK, numbered=numbered):
        made, fold = model.score(events.columns, events.number, mode)
        parts.append(({name: made[name] for name in names}, fold, events.number))
    if not parts:
        msg = f"{source.name}: there is no event in it"
        raise DataError(msg)
    fold = np.concatenate([part[1] for part in parts])
    columns: dict[str, Array] = {}
    for name in names:
        columns[prefix + name] = np.concatenate([part[0][name] for part in parts])
        columns[prefix + name + SCORED_BY] = fold
    numbers = [part[2] for part in parts]
    number = None if numbers[0] is None else np.concatenate([n for n in numbers if n is not None])
    written = write_with(source, target, columns, number)
    return Applied(
        source=source.name,
        path=written,
        events=len(fold),
        columns=list(columns),
        is_friend=written != target,
        seen=_seen(model, number),
    )


def _wanted(model: Model, outputs: Sequence[str]) -> list[str]:
    known = [output.name for output in model.manifest.outputs]
    for name in outputs:
        if name not in known:
            msg = f"the models make no output '{name}'{did_you_mean(name, known)}"
            raise DataError(msg)
    return list(outputs) or [output.name for output in model.manifest.outputs if output.final]


def _open(path: Path, tree: str | None) -> Source:
    if not can_write(path):
        msg = f"{path}: scores cannot be written into '{path.suffix}' (valid: .npz, .parquet, .pq, .root)"
        raise DataError(msg)
    return TreeSource(path, tree) if path.suffix == ".root" else open_source(path)


def _targets(sources: Sequence[Source], out: Path, replace: bool) -> list[Path]:
    single = len(sources) == 1 and can_write(out) and not out.is_dir()
    paths = [source.path for source in sources if source.path is not None]
    targets = [out] if single else [out / path.name for path in paths]
    problems = []
    if single and out.suffix != paths[0].suffix:
        problems.append(f"{out}: the copy of {paths[0]} has the same ending, '{paths[0].suffix}'")
    for path, target in zip(paths, targets, strict=True):
        if targets.count(target) > 1:
            problems.append(f"{path}: another file has the same name; write them into folders of their own")
        if target.exists() and target.samefile(path):
            problems.append(f"{path}: would be replaced by its copy; choose another --out")
        elif not replace and (found := next((p for p in target_of(target) if p.exists()), None)):
            problems.append(f"{found}: is there already; --replace replaces it")
    if problems:
        raise DataError("\n".join(problems))
    return targets


def _check(model: Model, sources: Sequence[Source], mode: Mode) -> None:
    """Look at the first event of every file: whatever is wrong with a column is known before anything is written."""
    problems = []
    numbered = mode == "own" and len(model.sessions) > 1
    for source in sources:
        try:
            first = next(read_events(source, model.needs, 1, numbered=numbered), None)
        except DataError as error:
            problems.append(str(error))
            continue
        problems += [] if first is None else _unlike(model, source, first)
    if problems:
        raise DataError("\n".join(problems))


def _unlike(model: Model, source: Source, first: Events) -> list[str]:
    found = {n: (str(column.dtype), list(column.shape[1:])) for n, column in first.columns.items()}
    return [
        f"{source.name}: column '{each.name}': an event is {' '.join(map(str, found[each.name]))}, and the models read "
        f"{each.dtype} {list(each.shape)}"
        for each in model.manifest.inputs
        if found[each.name] != (each.dtype, list(each.shape))
    ]


def _seen(model: Model, number: Array | None) -> int:
    if len(model.sessions) > 1 or number is None:
        return 0
    (fold,) = model.sessions
    return int((fold_of(number, model.manifest.k) != fold).sum())
