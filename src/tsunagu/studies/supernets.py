"""How far a supernet ranks architectures as trainings of their own do, wherever a study has both."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, final

from tsunagu.data import Table
from tsunagu.errors import ChoiceError, ResumeError
from tsunagu.metrics import kendall_tau
from tsunagu.spec import Architecture, resolve
from tsunagu.studies.rows import Place, Row, fold_field, write_records
from tsunagu.trials import Result, Trial, metric_names

__all__ = ["Agreement", "Judged", "agreements", "judged", "kendall", "write_agreements"]


class Judged(NamedTuple):
    """A path of a supernet, its value there, and the name of the trial that trains it alone."""

    architecture: Architecture
    value: float
    digest: str


@final
@dataclass(frozen=True, kw_only=True)
class Agreement:
    """An architecture with both of its values on the validation events.

    Args:
        method: of the search.
        place: seed and fold, of the search and of the training alone.
        architecture: which.
        supernet: the study's metric with the weights of the supernet.
        alone: the same when it was trained alone.
        digest: of that training.
    """

    method: str
    place: Place
    architecture: Architecture
    supernet: float
    alone: float
    digest: str


def judged(row: Row, table: Table) -> list[Judged]:
    """All paths that a finished search has judged; none where it did so at other values of the conditions than trainings do.

    Raises:
        ResumeError: its scores cannot be read.
    """
    path, study = row.result.path / "scores.csv", row.planned.study
    if row.planned.trial.at:
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = [(float(line.pop(_column(row))), line) for line in csv.DictReader(file)]
        found = [(Architecture({k: v for k, v in line.items() if v}), value) for value, line in lines]
        pipelines = [resolve(study.pipeline, architecture) for architecture, _ in found]
    except (OSError, ValueError, KeyError, TypeError, ChoiceError) as error:
        msg = f"{path}: not the scores of this search ({error}); remove the trial's folder to search again"
        raise ResumeError(msg) from error
    alone = [Trial(pipeline=each, folds=study.data.folds, seed=row.result.seed) for each in pipelines]
    return [Judged(*pair, trial.digest(table)) for pair, trial in zip(found, alone, strict=True)]


def agreements(row: Row, paths: Sequence[Judged], known: Mapping[str, Result]) -> list[Agreement]:
    """Those paths of a search that have been trained alone too, with the same settings and the same seed.

    Args:
        row: of the search.
        paths: what :func:`judged` gave.
        known: finished trainings by digest.
    """
    return [
        Agreement(
            method=row.planned.method,
            place=row.place,
            architecture=each.architecture,
            supernet=each.value,
            alone=known[each.digest].metrics[_column(row)],
            digest=each.digest,
        )
        for each in paths
        if each.digest in known
    ]


def kendall(found: Sequence[Agreement]) -> float | None:
    """Kendall's tau of the two rankings; None where they are no rankings.

    >>> one, other = Architecture({"lr": "0.1"}), Architecture({"lr": "0.01"})
    >>> pairs = [(one, 0.7, 0.8), (other, 0.6, 0.7)]
    >>> kendall([Agreement(method="spos", place=(1, ""), architecture=a, supernet=s, alone=v, digest="") for a, s, v in pairs])
    1.0
    """
    finite = [each for each in found if math.isfinite(each.supernet) and math.isfinite(each.alone)]
    if len(finite) < 2:
        return None
    tau = kendall_tau([each.supernet for each in finite], [each.alone for each in finite])
    return None if math.isnan(tau) else tau


def write_agreements(path: Path, found: Sequence[Agreement]) -> None:
    """One row for each architecture, method and seed that has both values; no file where there is none."""
    if not found:
        path.unlink(missing_ok=True)  # of an earlier form of the study
        return
    write_records(path, [_record(each) for each in found])


def _record(each: Agreement) -> dict[str, object]:
    seed, fold = each.place
    return {
        "method": each.method,
        "seed": seed,
        **fold_field(fold),
        **{f"choice:{label}": option for label, option in each.architecture.items()},
        "supernet": each.supernet,
        "alone": each.alone,
        "digest": each.digest,
    }


def _column(row: Row) -> str:
    return f"validation_{next(iter(metric_names(row.planned.study.pipeline)))}"
