"""Policies for negative training weights."""

import numpy as np
import pytest

from tsunagu.data import open_table
from tsunagu.errors import DataError

NUMBER = np.arange(1000)
LABEL = (NUMBER % 2).astype(np.int64)
WEIGHT = np.where(NUMBER % 5 == 0, -0.5, 1.0) * np.where(LABEL == 1, 3.0, 1.0)
EVENTS = {"event_number": NUMBER, "w": WEIGHT, "y": LABEL, "other": np.where(NUMBER % 10, 1.0, -1.0)}


def training(source, folds, policy, **named):
    named = {"weight": "w", "classes": "y", "needed": ["y"]} | named
    return open_table(source(EVENTS, "a"), negative_weights=policy, folds=folds, **named)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (None, np.abs(WEIGHT)),
        ("keep", WEIGHT),
        ("absolute", np.abs(WEIGHT)),
        ("drop", np.maximum(WEIGHT, 0.0)),
    ],
)
def test_training_weights(source, folds, policy, expected):
    table = training(source, folds, policy)
    np.testing.assert_allclose(table.train_weight.numpy(), expected / np.abs(expected).mean(), rtol=1e-6)
    np.testing.assert_array_equal(table.weight.numpy(), WEIGHT)
    assert f"negative_weights: {policy or 'absolute'}: 200 of 1,000 events" in table.notes[0]


@pytest.mark.parametrize("name", ["w", "other"])
def test_the_sum_of_each_class_is_preserved(source, folds, name):
    table = training(source, folds, "absolute_preserving", train_weight=name)
    weight = table.train_weight.double().numpy()
    sums = [weight[label == LABEL].sum() for label in (0, 1)]
    signed = [EVENTS[name][label == LABEL].sum() for label in (0, 1)]
    assert (weight >= 0).all()
    assert sums[1] / sums[0] == pytest.approx(signed[1] / signed[0], rel=1e-5)


def test_a_named_training_weight_is_kept_by_default(source, folds):
    assert training(source, folds, None, train_weight="other").train_weight.min() < 0


def test_a_mapped_table_has_the_same(write, folds):
    path = write("a", EVENTS)
    tables = [
        open_table(
            path, weight="w", classes="y", negative_weights="absolute_preserving", folds=folds, memory=memory
        )
        for memory in (None, 64_000)
    ]
    assert tables[0].fingerprint == tables[1].fingerprint
    assert tables[0].notes == tables[1].notes


def test_classes_whose_sum_cannot_be_preserved(source, folds):
    spoiled = EVENTS | {"w": np.where(LABEL == 1, 3.0 * np.abs(WEIGHT), -np.abs(WEIGHT))}
    with pytest.raises(
        DataError, match=r"a: negative_weights: absolute_preserving: the weights of class 0 sum to -"
    ):
        open_table(
            source(spoiled, "a"), weight="w", classes="y", negative_weights="absolute_preserving", folds=folds
        )


def test_classes_must_be_whole_numbers(source, folds):
    with pytest.raises(DataError, match="a class must be one whole number for each event"):
        training(source, folds, "absolute_preserving", classes="other")
