"""Templates: what each process is expected to be in the bins of the score, nominal and varied."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from tsunagu.analysis.counts import Array, Counts
from tsunagu.analysis.extra import require
from tsunagu.errors import DataError, did_you_mean

__all__ = ["DIRECTIONS", "Shift", "Templates", "protected", "scaled_shift", "to_hist", "to_uhi"]

DIRECTIONS = ("up", "down")
FLOOR = 1e-3
"""What stands in a bin of a process that has no positive content, as a share of the process's mean bin."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Shift:
    """What a systematic variation of one standard deviation makes of the templates, each ``[P, B]``."""

    up: Counts
    down: Counts

    def of(self, direction: str) -> Counts:
        """The counts of ``up`` or ``down``."""
        return self.up if direction == "up" else self.down


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Templates:
    """Expected events by process and bin; ``P`` processes, ``B`` bins.

    Args:
        edges: ``[B + 1]`` of the score.
        processes: their names; a signal among them and a background.
        signals: the names of those that scale with the signal strength.
        nominal: ``[P, B]``.
        shifts: by name of the systematic uncertainty.
        axis: name of what is binned.
        notes: what had to be changed, in sentences.
    """

    edges: Array
    processes: tuple[str, ...]
    signals: tuple[str, ...]
    nominal: Counts
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    axis: str = "score"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.processes), len(self.edges) - 1)
        for name, counts in self.all_counts():
            if counts.sums.shape != shape:
                msg = f"templates: {name}: {shape[0]} processes x {shape[1]} bins expected, found {counts.sums.shape}"
                raise DataError(msg)
            if not (np.isfinite(counts.sums).all() and np.isfinite(counts.variances).all()):
                msg = f"templates: {name}: a bin is NaN or infinite"
                raise DataError(msg)
        for name in self.signals:
            if name not in self.processes:
                msg = f"templates: there is no process '{name}'{did_you_mean(name, self.processes)}"
                raise DataError(msg)
        if not 0 < len(self.signals) < len(self.processes):
            msg = f"templates: a signal and a background are needed; of {', '.join(self.processes)} signal is {self.signals}"
            raise DataError(msg)

    def all_counts(self) -> Iterator[tuple[str, Counts]]:
        """Every set of counts by the name of its variation: ``nominal``, ``tes_up``, ``tes_down``."""
        yield "nominal", self.nominal
        for name, shift in self.shifts.items():
            for direction in DIRECTIONS:
                yield f"{name}_{direction}", shift.of(direction)

    @property
    def bins(self) -> int:
        """B."""
        return len(self.edges) - 1

    def rows(self, *, signal: bool) -> list[int]:
        """The places of the signals, or of the backgrounds, among the processes."""
        return [p for p, name in enumerate(self.processes) if (name in self.signals) is signal]

    def total(self, *, signal: bool) -> Counts:
        """Signal or background together, ``[B]``."""
        rows = self.rows(signal=signal)
        return Counts(sums=self.nominal.sums[rows].sum(0), variances=self.nominal.variances[rows].sum(0))

    def background_error(self, name: str) -> Array:
        """Half the distance between the up and the down background of one systematic uncertainty, ``[B]``, with its sign."""
        rows, shift = self.rows(signal=False), self.shifts[name]
        return np.asarray((shift.up.sums[rows].sum(0) - shift.down.sums[rows].sum(0)) / 2)


def scaled_shift(nominal: Counts, up: float, down: float, rows: Sequence[int] | None = None) -> Shift:
    """A normalisation uncertainty: factors on the yields of some processes.

    Args:
        nominal: ``[P, B]``.
        up: such as 1.05.
        down: such as 0.95.
        rows: of the processes that it concerns; all by default.
    """
    chosen = slice(None) if rows is None else list(rows)
    factors = [np.ones((len(nominal.sums), 1)) for _ in DIRECTIONS]
    for factor, value in zip(factors, (up, down), strict=True):
        factor[chosen] = value
    scaled = [Counts(sums=nominal.sums * f, variances=nominal.variances * f**2) for f in factors]
    return Shift(up=scaled[0], down=scaled[1])


def protected(templates: Templates) -> Templates:
    """Templates without empty or negative bins of a process, which would end a fit with an error about logarithms.

    Such a bin gets a thousandth of the mean bin of its process, and a note says so; its statistical error stays.

    Raises:
        DataError: a bin without positive background, or a process without positive yield: there the bins are too fine, and
            no small number is right.
    """
    background = templates.total(signal=False)
    if (bad := np.flatnonzero(background.sums <= 0)).size:
        raise DataError(_empty(templates, bad))
    for name, counts in templates.all_counts():
        yields = counts.sums.sum(1)
        for p in np.flatnonzero(yields <= 0):
            msg = f"templates: {templates.processes[p]}, {name}: the weights sum to {yields[p]:g}; the sum must be positive"
            raise DataError(msg)
    notes: list[str] = []
    repaired = {name: _raised(templates, name, counts, notes) for name, counts in templates.all_counts()}
    shifts = {
        name: Shift(up=repaired[f"{name}_up"], down=repaired[f"{name}_down"]) for name in templates.shifts
    }
    return replace(templates, nominal=repaired["nominal"], shifts=shifts, notes=(*templates.notes, *notes))


def to_hist(templates: Templates) -> Any:
    """All templates as one ``hist.Hist`` with axes process, variation and score, and variances.

    Raises:
        DataError: hist is not installed.
    """
    hist = require("hist")
    names = [name for name, _ in templates.all_counts()]
    made = hist.Hist(
        hist.axis.StrCategory(list(templates.processes), name="process"),
        hist.axis.StrCategory(names, name="variation"),
        hist.axis.Variable(templates.edges.tolist(), name=templates.axis),
        storage=hist.storage.Weight(),
    )
    view = made.view()
    for place, (_, counts) in enumerate(templates.all_counts()):
        view.value[:, place], view.variance[:, place] = counts.sums, counts.variances
    return made


def to_uhi(templates: Templates) -> str:
    """The same as JSON of the Unified Histogram Interface, which hist, boost-histogram and other fitters read.

    Raises:
        DataError: hist is not installed.
    """
    require("hist")
    return json.dumps(to_hist(templates), default=require("uhi.io.json").default)


def _empty(templates: Templates, bad: Any) -> str:
    first = int(bad[0])
    low, high = templates.edges[first : first + 2]
    content = templates.total(signal=False).sums[first]
    where = f"bin {first + 1} of {templates.bins} ({templates.axis} {low:.4g} to {high:.4g})"
    more = f", and {len(bad) - 1} more like it" if len(bad) > 1 else ""
    remedy = "take fewer bins, or more effective background events in each"
    return f"templates: {where} has {content:g} background events{more}; {remedy}"


def _raised(templates: Templates, name: str, counts: Counts, notes: list[str]) -> Counts:
    sums = counts.sums.copy()
    for p, b in zip(*np.nonzero(sums <= 0), strict=True):
        floor = FLOOR * float(counts.sums[p].mean())
        notes.append(
            f"{templates.processes[p]}, {name}, bin {b + 1}: {counts.sums[p, b]:.4g} events, set to {floor:.4g}"
        )
        sums[p, b] = floor
    return Counts(sums=sums, variances=counts.variances)
