"""The table ``scan.csv`` of a study: the metrics of every trial with conditions, at every value that was scanned."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from tsunagu.errors import ResumeError
from tsunagu.studies.rows import Row, fold_field, write_records

__all__ = ["write_scan"]


def write_scan(path: Path, rows: Sequence[Row]) -> None:
    """One line for each trial, split and point: method, seed, fold where varied, split, conditions, metrics, digest.

    A study without conditions has no such file.

    Raises:
        ResumeError: the scan of a trial cannot be read.
    """
    found = [(row, row.result.path / "scan.csv") for row in rows if row.role == "trial"]
    records = [record for row, file in found if file.exists() for record in _records(row, file)]
    if not records:
        path.unlink(missing_ok=True)  # of an earlier form of the study
        return
    write_records(path, records)


def _records(row: Row, file: Path) -> list[dict[str, object]]:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            points = list(csv.DictReader(lines))
    except (OSError, ValueError, csv.Error) as error:
        msg = f"{file}: cannot be read ({error}); remove the trial's folder and run the study again"
        raise ResumeError(msg) from error
    place = {"method": row.planned.method, "seed": row.result.seed, **fold_field(row.planned.fold)}
    return [{**place, **point, "digest": row.result.digest} for point in points]
