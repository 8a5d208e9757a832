"""The scores of all events, each by the model that has not seen it: the test folds of a rotation put together."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsunagu.data import fold_of
from tsunagu.errors import DataError, ResumeError, TsunaguError
from tsunagu.files import write_bytes
from tsunagu.spec import Study
from tsunagu.studies.chosen import chosen
from tsunagu.studies.leaks import rotation_leaks, seen_of
from tsunagu.studies.rows import Row
from tsunagu.trials import Seen, metric_names, read_seen, write_arrays

__all__ = ["assembled", "file_names", "rotations", "write_out_of_fold"]

Arrays = Mapping[str, NDArray[Any]]
FOLDER = "out_of_fold"
TEST = "test_"


def write_out_of_fold(out: Path, study: Study, rows: Sequence[Row]) -> None:
    """Write ``out_of_fold.csv``, and for each method and seed a file with the scores of all events.

    Only complete rotations are written. The metrics in the table are of all events together: beside the means over
    folds in ``summary.json`` they also see whether the scores of several models mean the same.

    Raises:
        TsunaguError: an event would be scored by a model that has seen it, or twice.
    """
    found = list(rotations(study, rows))
    if not found:
        (out / f"{FOLDER}.csv").unlink(missing_ok=True)
        return
    names = file_names([method for method, _, _ in found])
    lines = []
    for method, seed, own in found:
        arrays = assembled(own)
        path = Path(FOLDER, f"{names[method]}_seed{seed}.npz")
        write_arrays(out / path, dict(arrays))
        counts = {"method": method, "seed": seed, "events": len(arrays["event_number"])}
        lines.append(counts | _metrics(study, arrays) | {"file": path.as_posix()})
    text = io.StringIO()
    writer = csv.DictWriter(
        text, fieldnames=list(dict.fromkeys(n for line in lines for n in line)), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(lines)
    write_bytes(out / f"{FOLDER}.csv", text.getvalue().encode())


def rotations(study: Study, rows: Sequence[Row]) -> Iterator[tuple[str, int, list[Row]]]:
    """For each method and seed its trials, one for each fold, where there is one for every fold."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for each in chosen(study, rows):
        if each.item is not None and each.item.role == "trial":
            groups.setdefault((each.item.planned.method, each.item.result.seed), []).append(each.item)
    for (method, seed), own in groups.items():
        folds = [row.planned.trial.folds for row in own]
        if len({each.k for each in folds}) == 1 and {each.test for each in folds} == set(range(folds[0].k)):
            yield method, seed, own


def assembled(rows: Sequence[Row]) -> Arrays:
    """Scores, targets and weights ``[E, ...]`` of all events, by rising event number, and the test ``fold`` of each.

    Args:
        rows: a rotation.

    Raises:
        TsunaguError: a training has seen an event that it scores, or one is scored twice.
    """
    folder = rows[0].result.path.parent
    seen = {row.result.digest[:12]: _seen(row) for row in rows}
    lines = rotation_leaks(seen, lambda digest: _search(folder / digest))
    parts = [_tested(row) for row in rows]
    numbers = np.concatenate([part["event_number"] for part in parts])
    fold = np.concatenate(
        [
            np.full(len(p["event_number"]), r.planned.trial.folds.test)
            for r, p in zip(rows, parts, strict=True)
        ]
    )
    wrong = int((fold != fold_of(numbers, rows[0].planned.trial.folds.k)).sum())
    lines += [f"{wrong} events were tested on in another fold than their own"] if wrong else []
    again = len(numbers) - len(np.unique(numbers))
    lines += [f"{again} event numbers were tested on more than once"] if again else []
    if lines:
        raise TsunaguError("\n".join(f"{folder}: {line}" for line in lines))
    order = np.argsort(numbers, kind="stable")
    names = [name for name in parts[0] if all(name in part for part in parts)]
    whole = {name: np.concatenate([part[name] for part in parts])[order] for name in names}
    return whole | {"fold": fold[order]}


def file_names(methods: Sequence[str]) -> dict[str, str]:
    """A name for a file for each method; a number where two would be the same.

    >>> file_names(["grid, pretrained", "grid", "grid pretrained"])
    {'grid, pretrained': 'grid_pretrained', 'grid': 'grid', 'grid pretrained': 'grid_pretrained_2'}
    """
    found: dict[str, str] = {}
    for method in dict.fromkeys(methods):
        name = re.sub(r"\W+", "_", method).strip("_") or "method"
        again = sum(re.fullmatch(rf"{re.escape(name)}(_\d+)?", other) is not None for other in found.values())
        found[method] = f"{name}_{again + 1}" if again else name
    return found


def _seen(row: Row) -> Seen:
    return seen_of(row.result.path, row.planned.trial.folds, list(row.result.epochs))


def _search(folder: Path) -> Seen:
    found = read_seen(folder)
    if found is None:
        msg = f"{folder}: of an earlier version, which has not noted what it has seen; remove it to run it again"
        raise ResumeError(msg)
    return found


def _tested(row: Row) -> Arrays:
    path = row.result.path / "predictions.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {n.removeprefix(TEST): stored[n] for n in stored.files if n.startswith(TEST)}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        msg = f"{path}: cannot be read ({error}); remove the folder to run the trial again"
        raise ResumeError(msg) from error


def _metrics(study: Study, arrays: Arrays) -> dict[str, float]:
    found: dict[str, float] = {}
    for short, call in metric_names(study.pipeline).items():
        # A column that is too large to be kept with the predictions.
        with suppress(KeyError, DataError):
            found[short] = call.evaluate(arrays, arrays["weight"])
    return found
