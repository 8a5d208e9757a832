"""What a systematic variation does to scores, templates and the significance, and which one matters most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tsunagu.analysis.counts import Array, Counts, as_events, count_bins
from tsunagu.analysis.expecting import expected_significance
from tsunagu.analysis.fitting import Fit, fit
from tsunagu.analysis.model import Likelihood
from tsunagu.analysis.templates import Shift, Templates
from tsunagu.analysis.workspace import LUMINOSITY, Workspace
from tsunagu.errors import DataError
from tsunagu.metrics import ks_test

__all__ = ["Effect", "Ranked", "Scored", "effects", "fill", "mirrored", "rank", "shift_of"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Events with their scores; the same network gives all of them, nominal or varied.

    Args:
        score: ``[E]``.
        weight: ``[E]``, the expected events that each stands for, signed.
        process: ``[E]``, the place of its process in the list of names.
        bin: ``[E]``, the bin of the score.
    """

    score: Array
    weight: Array
    process: NDArray[np.int64]
    bin: NDArray[np.int64]

    def __post_init__(self) -> None:
        as_events("systematics", score=self.score, weight=self.weight, process=self.process, bin=self.bin)

    def of(self, process: int) -> tuple[Array, Array]:
        """Scores and weights of one process."""
        own = self.process == process
        return self.score[own], self.weight[own]


@final
@dataclass(frozen=True, kw_only=True)
class Effect:
    """What one variation does to one process.

    Args:
        systematic: its name.
        direction: up or down.
        process: its name.
        yield_change: relative.
        score_shift: of the mean score.
        distance: Kolmogorov-Smirnov distance of the score to the nominal one.
        largest_bin: the largest relative change of a bin, with its sign, after that of the yield.
    """

    systematic: str
    direction: str
    process: str
    yield_change: float
    score_shift: float
    distance: float
    largest_bin: float


@final
@dataclass(frozen=True, kw_only=True)
class Ranked:
    """How much one systematic uncertainty matters.

    Args:
        name: of the parameter.
        impact_up: how far the fitted signal strength moves where the parameter is one standard deviation higher, after the fit.
        impact_down: one lower.
        constraint: its error after the fit over that before.
        significance_without: what would be expected if it were known exactly.
        cost: how much of the significance it takes.
    """

    name: str
    impact_up: float
    impact_down: float
    constraint: float
    significance_without: float
    cost: float


def fill(events: Scored, processes: int, bins: int) -> Counts:
    """Templates ``[P, B]`` of scored events.

    >>> one = np.array([0, 0, 1])
    >>> events = Scored(score=one / 2, weight=np.ones(3), process=np.array([0, 1, 1]), bin=one)
    >>> fill(events, 2, 2).sums.tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    flat = count_bins(events.process * bins + events.bin, events.weight, processes * bins)
    return Counts(sums=flat.sums.reshape(processes, bins), variances=flat.variances.reshape(processes, bins))


def mirrored(nominal: Counts, up: Counts) -> Counts:
    """The other side of a variation that has only one: as far below the nominal template as ``up`` is above.

    >>> one = Counts(sums=np.array([[2.0]]), variances=np.array([[0.0]]))
    >>> mirrored(one, Counts(sums=np.array([[2.5]]), variances=np.array([[0.0]]))).sums.item()
    1.5
    """
    return Counts(sums=2 * nominal.sums - up.sums, variances=up.variances)


def shift_of(
    nominal: Counts, up: Counts, down: Counts | None, concerned: Sequence[int] | None = None
) -> Shift:
    """A shift of the templates, for some processes.

    Args:
        nominal: ``[P, B]``.
        up: ``[P, B]``.
        down: ``[P, B]``; None for one that is mirrored.
        concerned: the processes that vary; the others stay nominal. All by default.
    """
    other = mirrored(nominal, up) if down is None else down
    return Shift(up=_only(nominal, up, concerned), down=_only(nominal, other, concerned))


def effects(
    name: str, nominal: Scored, varied: Mapping[str, Scored], processes: Sequence[str], bins: int
) -> list[Effect]:
    """What a variation does, for each direction and process.

    Args:
        name: of the systematic uncertainty.
        nominal: the events as they are.
        varied: the events by direction.
        processes: their names.
        bins: of the score.

    Raises:
        DataError: weights of a process without a positive sum.
    """
    return [
        _effect(name, direction, process, p, nominal, events, bins)
        for direction, events in varied.items()
        for p, process in enumerate(processes)
    ]


def rank(workspace: Workspace, templates: Templates, found: Fit | None = None) -> list[Ranked]:
    """The systematic uncertainties of the templates, and the luminosity, the one with the largest impact first.

    Args:
        workspace: made of the templates.
        templates: for the names.
        found: the fit to the expected events, where it is there already.

    Raises:
        DataError: a fit fails.
    """
    likelihood = Likelihood(workspace)
    found = found or fit(workspace, likelihood.expected(1.0))
    whole = expected_significance(likelihood)
    names = [name for name in likelihood.names if name in {*templates.shifts, LUMINOSITY}]
    ranked = []
    for name in names:
        parameter, without = found[name], expected_significance(likelihood, [name])
        ranked.append(
            Ranked(
                name=name,
                impact_up=parameter.impact_up,
                impact_down=parameter.impact_down,
                constraint=parameter.constraint,
                significance_without=without,
                cost=without - whole,
            )
        )
    return sorted(ranked, key=lambda each: -max(abs(each.impact_up), abs(each.impact_down)))


def _only(nominal: Counts, varied: Counts, concerned: Sequence[int] | None) -> Counts:
    if concerned is None:
        return varied
    chosen = np.isin(np.arange(len(nominal.sums)), concerned)[:, None]
    return Counts(
        sums=np.where(chosen, varied.sums, nominal.sums),
        variances=np.where(chosen, varied.variances, nominal.variances),
    )


def _effect(
    name: str, direction: str, process: str, p: int, nominal: Scored, varied: Scored, bins: int
) -> Effect:
    before, after = nominal.of(p), varied.of(p)
    sums = float(before[1].sum()), float(after[1].sum())
    if min(sums) <= 0:
        msg = f"systematics: {name}, {direction}, {process}: weights sum to {sums[1]:g}, nominally to {sums[0]:g}; both must be positive"
        raise DataError(msg)
    means = [float(np.average(score, weights=weight)) for score, weight in (before, after)]
    return Effect(
        systematic=name,
        direction=direction,
        process=process,
        yield_change=sums[1] / sums[0] - 1.0,
        score_shift=means[1] - means[0],
        distance=ks_test(before[0], after[0], before[1], after[1]).distance,
        largest_bin=_largest(_row(nominal, p, bins), _row(varied, p, bins) * sums[0] / sums[1]),
    )


def _row(events: Scored, p: int, bins: int) -> Array:
    own = events.process == p
    return count_bins(events.bin[own], events.weight[own], bins).sums


def _largest(nominal: Array, varied: Array) -> float:
    filled = nominal > 0
    if not filled.any():
        return 0.0
    change = varied[filled] / nominal[filled] - 1.0
    return float(change[np.abs(change).argmax()])
