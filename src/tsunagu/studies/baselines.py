"""Baselines: numbers to beat, metrics of columns that are read off the table without any training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsunagu.data import Table
from tsunagu.metrics import MetricCall, parse_metric
from tsunagu.spec import Folds, Study, variations
from tsunagu.studies.plan import fold_label
from tsunagu.train import measure, working_points
from tsunagu.trials import write_arrays

__all__ = ["Baseline", "store_baselines"]

SPLITS = ("validation", "test")


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A number to beat.

    Args:
        method: its name.
        metrics: value by ``<split>_<metric>``.
        fold: the label of the folds that it was evaluated on, where the study varies them.
    """

    method: str
    metrics: Mapping[str, float]
    fold: str = ""


def store_baselines(study: Study, table: Table, path: Path) -> list[Baseline]:
    """Evaluate the baselines of a study, and store their columns so that a figure can show their curves.

    Args:
        study: with baselines, or without: then nothing is written.
        table: the study's events.
        path: of the npz file; its arrays are ``<split>_<column>`` and ``<split>_weight``, for the study's own folds.

    Returns:
        Each baseline, once for each of the folds that the study varies.
    """
    calls = {method: parse_metric(text) for method, text in study.baselines.items()}
    if calls:
        _store(list(calls.values()), study, table, path)
    return [
        _evaluate(method, call, table, fold, folds)
        for method, call in calls.items()
        for fold, folds in _folds(study).items()
    ]


def _folds(study: Study) -> dict[str, Folds]:
    found: dict[str, Folds] = {}
    for labels, varied in variations(study):
        found.setdefault(fold_label(labels), varied.data.folds)
    return found


def _store(calls: list[MetricCall], study: Study, table: Table, path: Path) -> None:
    names = list(dict.fromkeys(name for call in calls for name in call.arguments))
    arrays: dict[str, NDArray[np.generic]] = {}
    for split, rows in table.split(study.data.folds).parts().items():
        if split in SPLITS:
            columns = table.take(names, rows) | {"weight": table.weight.index_select(0, rows)}
            arrays |= {f"{split}_{name}": column.numpy() for name, column in columns.items()}
    write_arrays(path, arrays)


def _evaluate(method: str, call: MetricCall, table: Table, fold: str, folds: Folds) -> Baseline:
    parts = table.split(folds).parts()
    points = working_points([call], {}, table, parts["validation"])
    values = {f"{split}_{call.name}": measure([call], {}, table, parts[split], points)[0] for split in SPLITS}
    return Baseline(method=method, metrics=values, fold=fold)
