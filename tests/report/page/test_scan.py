"""What a scan may hold, and the log odds that are read off it."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.errors import DataError
from tsunagu.report.page import Scan

GOOD = {
    "scores": np.zeros((2, 4)),
    "labels": np.array([0, 1, 0, 1]),
    "weights": np.ones(4),
    "conditions": {"a": np.arange(2)},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.zeros(4)}, r"scores \[K, E\] or \[K, E, C\] expected, found the shape \(4,\)"),
        ({"labels": np.zeros(3)}, "labels: 3 values where the scores have 4"),
        ({"metrics": {"loss": np.zeros(3)}}, "loss: 3 values where the scores have 2"),
        ({"conditions": {"a": np.zeros(2)}}, "2 points are no product grid of 1 values"),
        ({"conditions": {}}, "2 points are no product grid of 1 values"),
        ({"conditions": {"a": np.arange(2), "b": np.arange(2)}}, "2 points are no product grid of 2 x 2 values"),
        ({"scores": np.full((2, 4), np.nan)}, "a score is not finite"),
        ({"labels": np.zeros(4)}, "the weights of class 1 have the sum 0"),
        ({"weights": np.array([1, 1, 1, -2.0])}, "the weights of class 1 have the sum -1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(change, message):
    Scan(**GOOD)
    with pytest.raises(DataError, match=message):
        Scan(**GOOD | change)


def test_points_come_in_the_order_of_the_axes_with_the_last_one_running_fastest():
    one, other = (part.ravel() for part in np.meshgrid([2.0, 1.0], [7.0, 5.0, 6.0]))
    scan = Scan(**GOOD | {"scores": np.zeros((6, 4)), "conditions": {"one": one, "other": other}})
    assert {name: axis.tolist() for name, axis in scan.axes.items()} == {"one": [1, 2], "other": [5, 6, 7]}
    assert one[scan.order].tolist() == [1, 1, 1, 2, 2, 2]
    assert other[scan.order].tolist() == [5, 6, 7, 5, 6, 7]


@pytest.mark.parametrize("signal", [0, 1, 2])
def test_logits_and_probabilities_of_many_classes_have_the_same_odds(signal):
    logits = np.random.default_rng(1).normal(0, 2, (1, 6, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    fields = {"labels": np.array([0, 1, 2, 0, 1, 2]), "weights": np.ones(6)}
    found = Scan(scores=logits, **fields).logits(signal)
    assert found == pytest.approx(np.log(shares[..., signal] / (1 - shares[..., signal])))
    assert Scan(scores=shares, probabilities=True, **fields).logits(signal) == pytest.approx(found)


def test_certainty_has_finite_odds():
    scan = Scan(
        scores=np.array([[0.0, 1.0]]), labels=np.array([0, 1]), weights=np.ones(2), probabilities=True
    )
    assert scan.logits(1).tolist() == [[-37.0, 37.0]]
