"""A scan: the scores of one trial at every value of its conditions, on one set of events."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np

from tsunagu.errors import DataError
from tsunagu.report.stored import Array

__all__ = ["LIMIT", "Scan"]

LIMIT = 37.0
"""Log odds of a probability of 0 or 1: the last ones that float64 tells from those."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Scan:
    """Scores at ``K`` points of the conditions, a product grid, for ``E`` events of ``C`` classes.

    Args:
        conditions: by name, each ``[K]``; none where there is nothing to set, with ``K = 1``.
        scores: ``[K, E]``, of class 1 of two; or ``[K, E, C]``, of every class. Logits, but for ``probabilities``.
        labels: ``[E]``, the number of each event's class.
        weights: ``[E]``, signed.
        metrics: other numbers at each point, each ``[K]``, such as the loss of every objective on these events.
        larger_is_better: the names of those metrics that are no costs.
        probabilities: whether the scores are in 0..1.

    Raises:
        DataError: shapes that do not fit, points that are no product grid, scores that are not finite, a class whose
            weights have no positive sum; the message says what was found.
    """

    scores: Array
    labels: Array
    weights: Array
    conditions: Mapping[str, Array] = field(default_factory=dict)
    metrics: Mapping[str, Array] = field(default_factory=dict)
    larger_is_better: frozenset[str] = frozenset()
    probabilities: bool = False

    def __post_init__(self) -> None:
        for problem in self._problems():
            msg = f"scan: {problem}"
            raise DataError(msg)

    def _problems(self) -> list[str]:
        shape = self.scores.shape
        if self.scores.ndim not in (2, 3) or not all(shape):
            return [f"scores [K, E] or [K, E, C] expected, found the shape {shape}"]
        lengths = {
            "labels": (len(self.labels), shape[1]),
            "weights": (len(self.weights), shape[1]),
            **{name: (len(values), shape[0]) for name, values in {**self.conditions, **self.metrics}.items()},
        }
        wrong = [
            f"{name}: {found} values where the scores have {needed}"
            for name, (found, needed) in lengths.items()
            if found != needed
        ]
        return wrong or [*self._of_points(), *self._of_events()]

    def _of_points(self) -> list[str]:
        axes = self.axes
        points = set(zip(*self.conditions.values(), strict=True)) if axes else {()}
        if len(points) == math.prod(map(len, axes.values())) == len(self.scores):
            return []
        sizes = " x ".join(str(len(values)) for values in axes.values()) or "1"
        return [f"{len(self.scores)} points are no product grid of {sizes} values"]

    def _of_events(self) -> list[str]:
        sums = [float(self.weights[self.labels == number].sum()) for number in range(self.classes)]
        empty = [
            f"the weights of class {number} have the sum {total:g}"
            for number, total in enumerate(sums)
            if not total > 0
        ]
        return empty if np.isfinite(self.scores).all() else ["a score is not finite", *empty]

    @property
    def classes(self) -> int:
        """How many there are."""
        return 2 if self.scores.ndim == 2 else self.scores.shape[2]

    @property
    def axes(self) -> dict[str, Array]:
        """The distinct values of each condition, rising."""
        return {name: np.unique(values) for name, values in self.conditions.items()}

    @property
    def order(self) -> list[int]:
        """``[K]``: the points with the last condition running fastest, as the axes' product has them."""
        if not self.conditions:
            return [0]
        found: list[int] = np.lexsort([*self.conditions.values()][::-1]).tolist()
        return found

    def logits(self, signal: int) -> Array:
        """``[K, E]``: log of the odds of one class against all others; of probabilities within ± :data:`LIMIT`.

        >>> scan = Scan(scores=np.array([[0.8, 0.5]]), labels=np.array([1, 0]), weights=np.ones(2), probabilities=True)
        >>> scan.logits(1).round(3).tolist(), scan.logits(0).round(3).tolist()
        ([[1.386, 0.0]], [[-1.386, -0.0]])
        """
        if self.scores.ndim == 2:
            odds = _logit(self.scores) if self.probabilities else self.scores
            return odds if signal == 1 else -odds
        if self.probabilities:
            return _logit(self.scores[..., signal])
        others = np.delete(self.scores, signal, axis=2)
        odds = self.scores[..., signal] - np.logaddexp.reduce(others, axis=2)
        return np.asarray(odds)


def _logit(probability: Array) -> Array:
    inside = np.clip(probability, 1e-300, None), np.clip(1 - probability, 1e-300, None)
    return np.asarray(np.clip(np.log(inside[0]) - np.log(inside[1]), -LIMIT, LIMIT))
