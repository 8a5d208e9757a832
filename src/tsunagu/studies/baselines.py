"""Baselines: numbers to beat, metrics of columns that are read off the table without any training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsunagu.data import Table
from tsunagu.metrics import MetricCall, parse_metric
from tsunagu.spec import Study
from tsunagu.train import measure
from tsunagu.trials import write_arrays

__all__ = ["Baseline", "store_baselines"]

SPLITS = ("validation", "test")


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A number to beat.

    Args:
        method: its name.
        metrics: value by ``<split>_<metric>``.
    """

    method: str
    metrics: Mapping[str, float]


def store_baselines(study: Study, table: Table, path: Path) -> list[Baseline]:
    """Evaluate the baselines of a study, and store their columns so that a figure can show their curves.

    Args:
        study: with baselines, or without: then nothing is written.
        table: the study's events.
        path: of the npz file; its arrays are ``<split>_<column>`` and ``<split>_weight``.
    """
    calls = {method: parse_metric(text) for method, text in study.baselines.items()}
    if calls:
        _store(list(calls.values()), study, table, path)
    return [_evaluate(method, call, study, table) for method, call in calls.items()]


def _store(calls: list[MetricCall], study: Study, table: Table, path: Path) -> None:
    names = list(dict.fromkeys(name for call in calls for name in call.arguments))
    arrays: dict[str, NDArray[np.generic]] = {}
    for split, rows in table.split(study.data.folds).parts().items():
        if split in SPLITS:
            columns = table.take(names, rows) | {"weight": table.weight.index_select(0, rows)}
            arrays |= {f"{split}_{name}": column.numpy() for name, column in columns.items()}
    write_arrays(path, arrays)


def _evaluate(method: str, call: MetricCall, study: Study, table: Table) -> Baseline:
    parts = table.split(study.data.folds).parts()
    values = {f"{split}_{call.name}": measure([call], {}, table, parts[split])[0] for split in SPLITS}
    return Baseline(method=method, metrics=values)
