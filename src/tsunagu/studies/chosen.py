"""Which trial a method takes at each of its places: what its search says, or the best on the validation events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tsunagu.spec import Study
from tsunagu.studies.rows import Row
from tsunagu.studies.selection import Selected, select
from tsunagu.trials import metric_names

__all__ = ["chosen"]


def chosen(study: Study, rows: Sequence[Row]) -> list[Selected[Row]]:
    """For each method, seed and fold what was taken, out of all that was tried there."""
    short, call = next(iter(metric_names(study.pipeline).items()))

    def cost(row: Row) -> float:
        said = row.planned.chosen
        return call.cost(row.result.metrics[f"validation_{short}"]) if said is None else -float(said)

    places = select(rows, lambda row: (row.planned.method, row.place), cost)
    return [
        replace(each, item=None) if each.item and each.item.planned.chosen is False else each
        for each in places
    ]
