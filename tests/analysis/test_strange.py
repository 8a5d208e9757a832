"""Whatever the events are, what comes is a number or an error of ours."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tsunagu.analysis import Rules, best_binning, correlations, scan_cuts
from tsunagu.errors import DataError
from tsunagu.metrics import ams, asimov_significance, best_cut, ks_test, significance

SCORES = st.one_of(st.floats(-5, 5), st.sampled_from([np.nan, np.inf, -np.inf, 0.0]))
WEIGHTS = st.one_of(st.floats(-2, 2), st.sampled_from([0.0, 0.0, np.nan, np.inf, 1e-300, 1e300]))
EVENTS = st.lists(st.tuples(SCORES, st.integers(0, 1), WEIGHTS), max_size=12)


@pytest.mark.parametrize(
    "tried",
    [
        significance,
        lambda x, y, w: significance(x, y, w, at=0.5, uncertainty=0.1),
        ams,
        best_cut,
        lambda x, y, w: scan_cuts(x, y, w, points=5),
        lambda x, y, w: best_binning(x, y, w, Rules(bins=2, fine=4, min_background=0.0)),
        lambda x, y, w: correlations(np.stack([x, y], 1), w),
        lambda x, y, w: ks_test(x, y.astype(float), w, w),
        asimov_significance,
    ],
    ids=str.split("significance uncertain ams best_cut scan binning correlations ks asimov"),
)
@given(EVENTS)
@settings(max_examples=40)
@example([(0.0, 0, 0.0), (0.0, 0, 1e300), (0.0, 1, 1.0)])
def test_strange_events_give_a_number_or_our_error(tried, events):
    x, y, w = (np.array([event[i] for event in events]) for i in range(3))
    with contextlib.suppress(DataError), np.errstate(over="ignore", invalid="ignore"):
        tried(x, y.astype(int), w)
