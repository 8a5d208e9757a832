"""Specs of every shape, for the property tests."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tsunagu.spec import Choice, Data, Folds, LossTerm, Node, Study, Task, Train

WORDS = st.text("abcxyz_1", min_size=1, max_size=5).filter(lambda w: w not in ("key", "choice", "ref"))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
WIDTH = Choice({"8": 8, "16": 16}, "width")
TIED = [WIDTH, Choice({"narrow": WIDTH, "wide": Choice({"a": 32, "b": 64})}, "deep")]
"""Of the same name, and so the same decision, wherever they stand."""


def _compound(parts):
    plain = st.one_of(st.lists(parts, max_size=3), st.dictionaries(WORDS, parts, max_size=3))
    nodes = st.builds(Node, WORDS, st.dictionaries(WORDS, parts, max_size=3))
    lists = st.builds(Node, WORDS, st.lists(parts, min_size=1, max_size=3))
    return st.one_of(
        plain, nodes, lists, st.builds(Choice, st.dictionaries(WORDS, parts, min_size=1, max_size=3))
    )


@pytest.fixture(scope="session")
def values():
    """A strategy of spec values: scalars, lists, mappings, nodes and choices, with a name and without, nested."""
    return VALUES


VALUES = st.recursive(st.one_of(SCALARS, st.sampled_from(TIED)), _compound, max_leaves=12)
TEXTS = st.text(min_size=1, max_size=6)
NUMBERS = st.floats(0.0, 1e6)
ARGS = st.dictionaries(WORDS, VALUES, max_size=2)
MODELS = st.one_of(
    st.builds(Node, TEXTS, ARGS),
    st.lists(st.builds(Node, TEXTS, ARGS), min_size=1, max_size=2),
    st.builds(Choice, st.dictionaries(WORDS, st.builds(Node, TEXTS, ARGS), min_size=1, max_size=2)),
)


def _or_choice(scalars):
    chosen = st.builds(
        Choice, st.dictionaries(WORDS, scalars, min_size=1, max_size=2), st.none() | st.just("tied")
    )
    return st.one_of(scalars, chosen)


LOSSES = st.builds(
    LossTerm, key=_or_choice(TEXTS), target=_or_choice(TEXTS), weight=_or_choice(NUMBERS), args=ARGS
)
TASKS = st.builds(
    Task,
    inputs=st.lists(TEXTS, min_size=1, max_size=2) | st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=2),
    output=TEXTS,
    model=MODELS,
    loss=LOSSES | st.lists(LOSSES, max_size=2),
)
DATA = st.builds(
    Data,
    files=TEXTS.filter(lambda name: "$" not in name),
    columns=st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS, min_size=1, max_size=2), max_size=2),
    missing=st.dictionaries(TEXTS, st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    weight=st.none() | TEXTS,
    keep=st.dictionaries(
        TEXTS,
        st.dictionaries(st.integers(-3, 9).map(str), st.floats(0.0, 1.0), min_size=1, max_size=2),
        max_size=2,
    ),
    keep_in=st.sampled_from(["all", "train"]),
    folds=st.builds(Folds, k=st.integers(3, 9), test=st.just(2)),
)
TRAIN = st.builds(
    Train,
    pretrain=_or_choice(st.booleans()),
    epochs=_or_choice(st.integers(0, 9)),
    optimizer=st.builds(Node, TEXTS, ARGS),
    schedule=st.none() | st.builds(Node, TEXTS, ARGS),
    patience=_or_choice(st.none() | st.integers(1, 9)),
    sampling=st.builds(Node, TEXTS, ARGS),
    augment=st.lists(st.builds(Node, TEXTS, ARGS), max_size=2),
    clip=_or_choice(st.none() | st.floats(0.1, 9.0)),
)
STUDIES = st.builds(
    Study,
    name=st.none() | TEXTS,
    data=DATA,
    tasks=st.dictionaries(TEXTS.filter(lambda name: "." not in name), TASKS, min_size=1, max_size=2),
    train=TRAIN,
    metric=TEXTS,
    metrics=st.lists(TEXTS, max_size=2),
    baselines=st.dictionaries(TEXTS, TEXTS, max_size=2),
    vary=st.just({}) | st.just({"train.epochs": {"short": 1, "long one": Choice({"a": 2})}}),
    seeds=st.integers(1, 9) | st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True),
)


@pytest.fixture(scope="session")
def studies():
    """A strategy of whole studies."""
    return STUDIES
