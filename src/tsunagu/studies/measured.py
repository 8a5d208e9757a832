"""Which trials of a finished study a measurement is made with."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from tsunagu.errors import DataError, ResumeError, did_you_mean
from tsunagu.spec import Study, variations
from tsunagu.studies.plan import fold_label, method_labels
from tsunagu.studies.selection import select
from tsunagu.trials import metric_names

__all__ = ["ChosenTrial", "chosen_trials"]

Line = Mapping[str, str]


@final
@dataclass(frozen=True, kw_only=True)
class ChosenTrial:
    """A trained chain, and the study it was trained for.

    Args:
        method: its name in ``results.csv``.
        seed: its seed.
        folder: with its weights and predictions.
        study: with the variation of the method and the fold applied.
    """

    method: str
    seed: int
    folder: Path
    study: Study


def chosen_trials(
    study: Study, out: Path, method: str | None = None, seed: int | None = None
) -> list[ChosenTrial]:
    """One trial for each fold of one method, the one that is best on its validation events; the test events decide nothing.

    Args:
        study: as it was run.
        out: the folder of its results.
        method: which of its methods; by default the best on the validation events, mean over trials.
        seed: that of all trials; by default, for each fold, the best on its validation events.

    Raises:
        ResumeError: there are no results.
        DataError: no such method or seed, or one that the study does not have.
    """
    lines = [line for line in _lines(out / "results.csv") if line.get("digest")]
    methods = list(dict.fromkeys(line["method"] for line in lines))
    if method is not None and method not in methods:
        msg = f"{out / 'results.csv'}: there is no method '{method}'{did_you_mean(method, methods)}"
        raise DataError(msg)
    short, call = next(iter(metric_names(study.pipeline).items()))

    def cost(line: Line) -> float:
        try:
            return call.cost(float(line[f"validation_{short}"]))
        except (KeyError, ValueError):
            return math.inf

    name = method or min(methods, key=lambda each: _mean([cost(x) for x in lines if x["method"] == each]))
    own = [line for line in lines if line["method"] == name and seed in (None, int(line["seed"]))]
    if not own:
        seeds = sorted({int(line["seed"]) for line in lines if line["method"] == name})
        msg = f"{out / 'results.csv'}: {name} has no seed {seed} (there are {', '.join(map(str, seeds))})"
        raise DataError(msg)
    taken = select(own, place=lambda line: line.get("fold", ""), cost=cost)
    return [_trial(study, out, each.item) for each in taken if each.item is not None]


def _trial(study: Study, out: Path, line: Line) -> ChosenTrial:
    for labels, varied in variations(study):
        name = " ".join(method_labels(labels).values()) or "chain"
        if (name, fold_label(labels)) == (line["method"], line.get("fold", "")):
            folder = out / "trials" / line["digest"]
            return ChosenTrial(method=name, seed=int(line["seed"]), folder=folder, study=varied)
    msg = f"{out / 'results.csv'}: the study has no method '{line['method']}' any more; run it again"
    raise DataError(msg)


def _lines(path: Path) -> Sequence[Line]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        msg = f"{path}: cannot be read ({error}); run the study first, or again"
        raise ResumeError(msg) from error
    if not any(line.get("digest") for line in found):
        msg = f"{path}: no finished trial in it; run the study first"
        raise ResumeError(msg)
    return found


def _mean(costs: Sequence[float]) -> float:
    return float(np.mean(costs)) if costs else math.inf
