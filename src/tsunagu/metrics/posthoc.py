"""What can be done to trained scores without a training: other class shares, temperature, isotonic calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.errors import DataError
from tsunagu.metrics.events import Array, labels, positive_sum, prepare
from tsunagu.metrics.working_point import columns

__all__ = ["Isotonic", "Temperature", "adjust_logits", "probabilities"]


def adjust_logits(logits: ArrayLike, from_priors: ArrayLike, to_priors: ArrayLike, tau: float = 1.0) -> Array:
    r"""The logits that a training with other class shares would have given, :math:`z_c + \tau (\log \pi'_c - \log \pi_c)`.

    Exact for a model that has learned the probabilities; the ranking of two classes does not change. Class weights of a loss
    count as shares: a network that was trained with weights w on shares pi has learned those in proportion to ``w pi``.

    Args:
        logits: a logit ``[E]`` of class 1 against 0, or ``[E, C]``.
        from_priors: ``[C]``, positive, those of the training; their sum does not matter.
        to_priors: ``[C]``, those wanted.
        tau: of the shift; 1 is exact.

    Returns:
        The shape of the logits.

    Raises:
        DataError: shares that are not positive, or of another number of classes.

    Source: Menon et al., ICLR 2021, arXiv:2007.07314; Saerens et al., Neural Computation 14 (2002) 21.

    >>> adjust_logits([0.0], [0.9, 0.1], [0.5, 0.5]).round(4).tolist()
    [2.1972]
    """
    values = np.asarray(logits, dtype=np.float64)
    old, new = (np.asarray(priors, dtype=np.float64) for priors in (from_priors, to_priors))
    classes = 2 if values.ndim == 1 else values.shape[1]
    if old.shape != (classes,) or new.shape != (classes,) or not (old > 0).all() or not (new > 0).all():
        message = (
            f"adjust_logits: {classes} positive shares expected, found {old.tolist()} and {new.tolist()}"
        )
        raise DataError(message)
    shift = tau * (np.log(new / new.sum()) - np.log(old / old.sum()))
    return np.asarray(values + (shift[1] - shift[0] if values.ndim == 1 else shift))


def probabilities(logits: Array) -> Array:
    """The softmax of logits ``[E, C]``, or of (0, z) for a logit ``[E]``: ``[E, C]``.

    >>> probabilities(np.array([0.0])).tolist()
    [[0.5, 0.5]]
    """
    z = columns(logits)
    shares = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


@final
@dataclass(frozen=True, kw_only=True)
class Temperature:
    """Logits over a temperature: one number, which makes a score surer or less sure and changes no ranking of classes.

    Args:
        temperature: above 1 for a score that is too sure.

    Source: Guo et al., ICML 2017, arXiv:1706.04599.
    """

    temperature: float

    @classmethod
    def fit(cls, logits: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None) -> Temperature:
        """The temperature of the smallest weighted cross entropy, by Newton's method in ``1 / T``, in which it is convex.

        Args:
            logits: ``[E]`` or ``[E, C]``, finite; of validation events.
            target: ``[E]``: the number of the class.
            weight: ``[E]``, of any sign; None for 1.

        Raises:
            DataError: a logit that is not finite, or a sum of weights that is not positive.

        >>> z = np.log([[0.8, 0.2]] * 5)
        >>> round(Temperature.fit(3.0 * z, [0, 0, 0, 0, 1]).temperature, 4)
        3.0
        """
        events = prepare(logits, target, weight, "temperature")
        positive_sum(events.weight, "temperature")
        if not np.isfinite(events.prediction).all():
            message = "temperature: a logit is not finite"
            raise DataError(message)
        z, label = columns(events.prediction), labels(events.target, "temperature")
        return cls(temperature=1.0 / _inverse_temperature(z, label, events.weight))

    def apply(self, logits: ArrayLike) -> Array:
        """The logits over the temperature, in their shape."""
        return np.asarray(np.asarray(logits, dtype=np.float64) / self.temperature)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Isotonic:
    """The rising step function from a score to a probability that is nearest to the labels, for any score.

    Args:
        scores: ``[N]``, rising: where the function is known; between them it is a straight line.
        values: ``[N]``, rising, 0 to 1.
    """

    scores: Array
    values: Array

    @classmethod
    def fit(cls, score: ArrayLike, label: ArrayLike, weight: ArrayLike | None = None) -> Isotonic:
        """The least squares fit, by pooling adjacent violators.

        Scores are put together where the probability would fall, or where a sum of signed weights is not positive.

        Args:
            score: ``[E]``; of validation events.
            label: ``[E]``: 1 for the class, 0 for the others.
            weight: ``[E]``, of any sign; None for 1.

        Raises:
            DataError: a score that is not finite, or a sum of weights that is not positive.

        Source: Ayer et al., Ann. Math. Statist. 26 (1955) 641; Zadrozny & Elkan, KDD 2002.

        >>> fit = Isotonic.fit([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1])
        >>> fit.apply([0.0, 2.0, 3.0, 9.0]).tolist()
        [0.0, 0.5, 0.5, 1.0]
        """
        events = prepare(score, label, weight, "isotonic")
        positive_sum(events.weight, "isotonic")
        values = events.prediction.reshape(-1)
        if len(values) != len(events.weight) or not np.isfinite(values).all():
            message = "isotonic: one finite score for each event expected"
            raise DataError(message)
        distinct, place = np.unique(values, return_inverse=True)
        hits, sums = (
            np.bincount(place, part).astype(np.float64)
            for part in (events.weight * labels(events.target, "isotonic"), events.weight)
        )
        return cls(scores=distinct, values=np.clip(_pooled(hits, sums), 0.0, 1.0))

    def apply(self, score: ArrayLike) -> Array:
        """The probability of each score ``[E]``; beyond the ends that of the end."""
        return np.asarray(np.interp(np.asarray(score, dtype=np.float64), self.scores, self.values))


def _inverse_temperature(z: Array, label: Array, weight: Array) -> float:
    inverse = 1.0
    for _ in range(100):
        share = probabilities(inverse * z)
        mean = (share * z).sum(axis=1)
        slope = float((weight * (mean - z[np.arange(len(z)), label.astype(np.intp)])).sum())
        curve = float((weight * ((share * z**2).sum(axis=1) - mean**2)).sum())
        # Signed weights may bend the curve downwards; then only the direction is followed.
        step = slope / curve if curve > 0.0 else np.sign(slope) * inverse
        moved = float(np.clip(inverse - step, inverse / 3.0, inverse * 3.0))
        if abs(moved - inverse) <= 1e-12 * inverse or not 1e-6 < moved < 1e6:
            return moved
        inverse = moved
    return inverse


def _pooled(hits: Array, sums: Array) -> Array:
    blocks: list[tuple[float, float, int]] = []
    for own, total in zip(hits.tolist(), sums.tolist(), strict=True):
        block = (own, total, 1)
        while blocks and _violates(blocks[-1], block):
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    return np.repeat([own / total for own, total, _ in blocks], [count for _, _, count in blocks])


def _violates(before: tuple[float, float, int], block: tuple[float, float, int]) -> bool:
    if before[1] <= 0.0 or block[1] <= 0.0:
        return True
    return before[0] * block[1] >= block[0] * before[1]
