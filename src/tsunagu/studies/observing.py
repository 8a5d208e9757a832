"""What was observed: data in the bins of a measurement, and the fit to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from tsunagu.analysis.counts import Array, bin_numbers
from tsunagu.analysis.fitting import Fit, fit
from tsunagu.analysis.significance import signal_probability
from tsunagu.errors import Mistake, SpecError
from tsunagu.spec import Study
from tsunagu.studies.measuring import Measurement
from tsunagu.studies.opening import open_observed
from tsunagu.train import predict

__all__ = ["Observed", "observe_study"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Observed:
    """The data of a study, in the bins that the simulation had chosen.

    Args:
        counts: ``[B]``, events.
        expected: ``[B]``, of all processes together, before the fit.
        fit: to the counts; the signal strength comes first, and pulls tell what the data say of each uncertainty.
    """

    counts: Array
    expected: Array
    fit: Fit


def observe_study(study: Study, measured: Measurement, base: Path | str = ".") -> Observed:
    """Count the data in the bins of a measurement and fit them.

    Each event is scored by the chain of its own fold, and binned by that chain's edges, as a simulated test event is.

    Args:
        study: with processes that are ``observed``, and folds that are all tested.
        measured: of the same study; its bins and templates were made without the data.
        base: the folder that relative file names start from.

    Raises:
        SpecError: no process is observed, or there are folds without a chain.
        DataError: files that cannot be read, a fit that fails.
    """
    nominal, analysis = measured.nominal, measured.analysis
    if not study.data.observed:
        found = "none of them is data; mark one with `observed: true`"
        raise SpecError([Mistake(("data", "processes"), found)])
    if len(nominal.trained) != study.data.folds.k:
        found = f"{study.data.folds.k} folds, of which {len(nominal.trained)} are tested; data of the others would have no score"
        raise SpecError([Mistake(("data", "folds"), found)])
    columns = [name for name in nominal.trained[0].graph.columns()]
    table = open_observed(nominal.trained[0].trial.study, Path(base), columns)
    counts = np.zeros(measured.templates.bins)
    for each, edges in zip(nominal.trained, nominal.edges, strict=True):
        rows = table.split(each.trial.study.data.folds).parts()["test"]
        predicted = predict(each.graph, table, rows)[analysis.score].numpy()
        score = signal_probability(predicted, analysis.signal_class)
        counts += np.bincount(bin_numbers(score, edges), minlength=len(counts))
    return Observed(
        counts=counts,
        expected=measured.templates.nominal.sums.sum(0),
        fit=fit(measured.workspace, counts, impacts=[]),
    )
