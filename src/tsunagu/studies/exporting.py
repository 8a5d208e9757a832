"""Which trained models of a study are exported: a method, and for each fold a seed, chosen on the validation events."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tsunagu.data.files import split_place
from tsunagu.errors import ChoiceError, DataError, ResumeError, did_you_mean
from tsunagu.export import Manifest, Reading, Trained, open_events, places_of, write_export
from tsunagu.spec import Architecture, Folds, Study, load_study, variations
from tsunagu.studies.plan import fold_label, method_labels
from tsunagu.trials import Result, Store, load_graph, load_pipeline, metric_names
from tsunagu.trials.working_point import module_at

__all__ = ["export_study"]


class _Trial(NamedTuple):
    """A line of ``results.csv`` or ``chosen.csv``; the smaller its cost on the validation events, the better."""

    method: str
    seed: int
    fold: str
    digest: str
    cost: float


def export_study(
    out: Path,
    to: Path | None = None,
    *,
    method: str | None = None,
    seed: int | None = None,
    trial: str | None = None,
    files: Sequence[str] = (),
    at: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> Manifest:
    """Export trained models of a study: of a rotation one for each fold, else a single one.

    Args:
        out: the folder of the results.
        to: the folder of the export; ``out/export`` by default.
        method: by default the one that is best on the validation events, in the mean over seeds and folds.
        seed: by default, in each fold, the one that is best on the validation events.
        trial: a single trial, by the beginning of its digest.
        files: events to check by; those of the study by default.
        at: values of conditions that become constants in the models; without, conditions are inputs.
        replace: whether an export that is there is replaced.

    Raises:
        ResumeError: the folder is not that of a finished study.
        ChoiceError: there is no such method, seed or trial.
        SpecError: there is no such condition, or it is given another number of values.
        DataError: the events cannot be read.
        TsunaguError: a model cannot be exported, or differs from torch.
    """
    if not (out / "study.yaml").exists():
        msg = f"{out}: not the folder of a study; there is no study.yaml in it"
        raise ResumeError(msg)
    study = load_study(out / "study.yaml").study
    taken = _taken(_trials(out, study), method, seed, trial)
    varied = _studies(study)[taken[0].method, taken[0].fold]
    studies = _studies(study)
    trained = [_trained(out, each, studies[each.method, each.fold].data.folds, at or {}) for each in taken]
    path, place = places_of(files or _events_of(out))[0]
    reading = Reading.of(varied.data)
    events = open_events(path, reading, place=place, process=next(iter(reading.processes), None))
    return write_export(
        to or out / "export",
        trained,
        events,
        varied.data,
        name=study.name or out.resolve().name,
        method=taken[0].method,
        at=at,
        replace=replace,
    )


def _studies(study: Study) -> dict[tuple[str, str], Study]:
    """The varied study of each method and fold."""
    return {
        (" ".join(method_labels(labels).values()) or "chain", fold_label(labels)): varied
        for labels, varied in variations(study)
    }


def _trials(out: Path, study: Study) -> list[_Trial]:
    short, call = next(iter(metric_names(study.pipeline).items()))
    path = next((p for p in (out / "chosen.csv", out / "results.csv") if p.exists()), None)
    if path is None:
        msg = f"{out}: the study has not been run; run it with `tsunagu run`"
        raise ResumeError(msg)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["digest"]]
    if not rows:
        msg = f"{path}: no trial is finished"
        raise ResumeError(msg)
    return [
        _Trial(
            row["method"],
            int(row["seed"]),
            row.get("fold") or "",
            row["digest"],
            call.cost(float(row[f"validation_{short}"])),
        )
        for row in rows
    ]


def _taken(trials: Sequence[_Trial], method: str | None, seed: int | None, trial: str | None) -> list[_Trial]:
    if trial is not None:
        found = [each for each in trials if each.digest.startswith(trial)]
        return [_one(found, f"no trial '{trial}'", [each.digest[:12] for each in trials])]
    methods = list(dict.fromkeys(each.method for each in trials))
    if method is not None and method not in methods:
        msg = f"no method '{method}'{did_you_mean(method, methods)}"
        raise ChoiceError(msg)
    own = [each for each in trials if each.method == (method or _best_method(trials))]
    if seed is not None:
        seeds = sorted({each.seed for each in own})
        own = [each for each in own if each.seed == seed]
        if not own:
            msg = f"{method or 'the best method'} was not trained with seed {seed} (valid: {', '.join(map(str, seeds))})"
            raise ChoiceError(msg)
    folds = dict.fromkeys(each.fold for each in own)
    return [min((each for each in own if each.fold == fold), key=lambda each: each.cost) for fold in folds]


def _one(found: Sequence[_Trial], none: str, valid: Sequence[str]) -> _Trial:
    if not found:
        msg = f"{none}{did_you_mean('', valid)}"
        raise ChoiceError(msg)
    return found[0]


def _best_method(trials: Sequence[_Trial]) -> str:
    costs: dict[str, list[float]] = {}
    for each in trials:
        costs.setdefault(each.method, []).append(each.cost)
    return min(costs, key=lambda name: math.fsum(costs[name]) / len(costs[name]))


def _trained(out: Path, each: _Trial, folds: Folds, at: Mapping[str, Any]) -> Trained:
    result = _result(out, each.digest)
    return Trained(
        graph=module_at(result, at) if at else load_graph(result.path),
        pipeline=load_pipeline(result.path),
        folder=result.path,
        folds=folds,
        seed=result.seed,
        digest=result.digest,
        architecture=Architecture(result.architecture),
    )


def _result(out: Path, digest: str) -> Result:
    found = Store(out / "trials").find(digest)
    if found is None:
        msg = f"{out / 'trials' / digest}: this trial is gone; run the study again"
        raise ResumeError(msg)
    return found


def _events_of(out: Path) -> list[str]:
    """The files that the study was trained on, as they are named in its summary."""
    path = out / "summary.json"
    try:
        named: Mapping[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))["table"]
        files = list(named["files"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        msg = f"{path}: cannot be read ({error}); run the study again"
        raise ResumeError(msg) from error
    if not files or not Path(split_place(files[0])[0]).exists():
        found = f"{files[0]} is not there" if files else "no files are named"
        msg = f"{path}: {found}; an export is checked on real events, name some with --files"
        raise DataError(msg)
    return files
