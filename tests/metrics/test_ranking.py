"""Kendall's tau."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from tsunagu.errors import DataError
from tsunagu.metrics import kendall_tau

pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12)


@given(pairs)
def test_it_is_that_of_scipy(rows):
    one, other = np.array(rows).T
    if len(set(one)) > 1 and len(set(other)) > 1:
        assert kendall_tau(one, other) == pytest.approx(kendalltau(one, other).statistic, abs=1e-12)
    else:
        assert math.isnan(kendall_tau(one, other))


@pytest.mark.parametrize(
    ("one", "other", "match"),
    [
        ([1, 2], [1, 2, 3], "two lists of one length"),
        ([1], [1], "2 or more"),
        ([1.0, math.inf], [1, 2], "finite"),
    ],
)
def test_what_cannot_be_ranked_is_refused(one, other, match):
    with pytest.raises(DataError, match=match):
        kendall_tau(one, other)
