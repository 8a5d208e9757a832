"""Specs of every shape, for the property tests."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tsunagu.spec import Choice, Node

WORDS = st.text("abcxyz_1", min_size=1, max_size=5).filter(lambda w: w not in ("key", "choice", "ref"))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)


def _compound(parts):
    plain = st.one_of(st.lists(parts, max_size=3), st.dictionaries(WORDS, parts, max_size=3))
    nodes = st.builds(Node, WORDS, st.dictionaries(WORDS, parts, max_size=3))
    lists = st.builds(Node, WORDS, st.lists(parts, min_size=1, max_size=3))
    return st.one_of(
        plain, nodes, lists, st.builds(Choice, st.dictionaries(WORDS, parts, min_size=1, max_size=3))
    )


@pytest.fixture(scope="session")
def values():
    """A strategy of spec values: scalars, lists, mappings, nodes and unnamed choices, nested."""
    return st.recursive(SCALARS, _compound, max_leaves=12)
