"""Data in the bins of a score, each event by a chain that has not been trained on its fold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tsunagu.analysis.counts import Array, bin_numbers
from tsunagu.analysis.significance import signal_probability
from tsunagu.analysis.templates import Templates
from tsunagu.errors import DataError
from tsunagu.spec import Analysis, Study
from tsunagu.studies.nominal import Nominal
from tsunagu.studies.opening import open_observed
from tsunagu.train import predict

__all__ = ["closed_bins", "observed_counts"]


def observed_counts(study: Study, base: Path, nominal: Nominal) -> Array | None:
    """How many observed events are in each bin of the score ``[B]``; None without data.

    No chain was trained on data. Yet each event is scored by the chain whose test fold it is in, as simulated events are, so
    that the bins of each chain mean the same for both; by the first chain where no chain has this test fold.

    Args:
        study: with its analysis, and processes that are observed.
        base: the folder of the study file.
        nominal: the simulated events, with the chains and their bins.

    Raises:
        DataError: files or columns that cannot be read, a score that is not finite.
    """
    if not study.data.observed:
        return None
    assert study.analysis is not None
    columns = list(dict.fromkeys(name for t in nominal.trained for name in t.graph.columns()))
    table = open_observed(study, base, columns)
    counts = np.zeros(len(nominal.edges[0]) - 1)
    left = torch.ones(len(table), dtype=torch.bool)
    for place in reversed(range(len(nominal.trained))):
        trained = nominal.trained[place]
        own = table.split(trained.trial.study.data.folds).parts()["test"] if place else left.nonzero()[:, 0]
        left[own] = False
        if not len(own):
            continue
        predicted = predict(trained.graph, table, own)[study.analysis.score].numpy()
        score = signal_probability(predicted, study.analysis.signal_class)
        if bad := int((~np.isfinite(score)).sum()):
            msg = (
                f"{', '.join(table.files)}: the score of {bad} of {len(score)} observed events is not finite"
            )
            raise DataError(msg)
        counts += np.bincount(bin_numbers(score, nominal.edges[place]), minlength=len(counts))
    return counts


def closed_bins(analysis: Analysis, templates: Templates) -> NDArray[np.bool_]:
    """The bins ``[B]`` in which data are not looked at: those with more signal than ``analysis.blind`` of the background."""
    s, b = templates.total(signal=True).sums, templates.total(signal=False).sums
    limit = analysis.blind
    return np.zeros(len(s), dtype=bool) if limit is None else np.asarray(s > limit * b)
