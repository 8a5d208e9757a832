"""Weighted score histograms whose bins follow the events, fine in the tails: what a page redraws its curves from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tsunagu.report.page.scan import Scan
from tsunagu.report.stored import Array

__all__ = ["BINS", "Binned", "bin_scores", "binned_auc"]

_TAIL = np.geomspace(5e-5, 0.02, 12)
BACKGROUND_ABOVE = np.concatenate([_TAIL, np.linspace(0.04, 0.98, 21)])
SIGNAL_ABOVE = np.concatenate([[0.003], np.linspace(0.01, 0.99, 34), [0.997]])
"""Shares of each class above an edge: background is followed down to where a ten-thousandth of it passes."""
BINS = len(BACKGROUND_ABOVE) + len(SIGNAL_ABOVE) + 1
STEPS = 65535
CANDIDATES = 24
"""Places that are tried for each edge."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Binned:
    """Histograms of the log odds of one class at ``K`` points, in ``B`` bins of their own each.

    Args:
        span: ``[K, 2]`` float32: the lowest and the highest edge.
        steps: ``[K, B + 1]`` uint16: where the edges stand, in 65535ths of the span; rising, and equal ones at the end
            where there are fewer distinct scores.
        shares: ``[K, 2, B]`` float16: the part of the weight of background and of signal, signed, that is in each bin.
            Events beyond the span are in the first and the last one.
    """

    span: Array
    steps: Array
    shares: Array

    @property
    def edges(self) -> Array:
        """``[K, B + 1]``."""
        low, high = self.span.astype(np.float64).T[:, :, None]
        return np.asarray(low + (high - low) * (self.steps / STEPS))


def bin_scores(scan: Scan, signal: int) -> Binned:
    """Histograms of the log odds of one class against the others, at each point of a scan in its own order.

    The edges are quantiles of ``|w|`` of both classes, moved within their neighbourhood to where the area under the curve
    so far is the exact one. They are rounded as they are stored before anything is counted, so the rounding moves no
    event to another bin than the one that it is drawn in.

    Args:
        scan: of one trial.
        signal: the class.
    """
    own = scan.labels == signal
    parts = [_bin(_steps(odds, own, scan.weights)) for odds in scan.logits(signal)[scan.order]]
    span, steps, shares = (np.stack(each) for each in zip(*parts, strict=True))
    return Binned(span=span, steps=steps, shares=shares)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Steps:
    """Distinct scores ``[G]``, rising, and sums over the scores before each ``[2, G + 1]``, background and signal.

    ``before`` are sums of the weights as shares of the class, ``size`` of ``|w|``, and ``area`` is the exact area so far.
    """

    score: Array
    before: Array
    size: Array
    area: Array


def _steps(odds: Array, own: NDArray[np.bool_], weights: Array) -> _Steps:
    score, place = np.unique(odds, return_inverse=True)
    sums = np.stack([np.bincount(place[is_], weights[is_], len(score)) for is_ in (~own, own)])
    sizes = np.stack([np.bincount(place[is_], np.abs(weights[is_]), len(score)) for is_ in (~own, own)])
    shares = sums / sums.sum(axis=1, keepdims=True)
    before, size = (np.pad(np.cumsum(each, axis=1), ((0, 0), (1, 0))) for each in (shares, sizes))
    area = np.append(0.0, np.cumsum(shares[1] * (before[0, :-1] + shares[0] / 2)))
    return _Steps(score=score, before=before, size=size / size[:, -1:], area=area)


def _bin(steps: _Steps) -> tuple[Array, Array, Array]:
    inner = steps.score[_settled(steps, _wanted(steps))]
    span = _span(inner if len(inner) else steps.score)
    stored = _stored(np.concatenate([[span[0]], inner, [span[1]]]), span)
    edges = span[0] + (span[1] - span[0]) * (stored / STEPS)
    at = np.where(edges < span[1], np.searchsorted(steps.score, edges), len(steps.score))
    at[0] = 0  # what lies beyond is in the outermost bins
    return span.astype(np.float32), stored, np.diff(steps.before[:, at], axis=1).astype(np.float16)


def _wanted(steps: _Steps) -> NDArray[np.intp]:
    """The scores above which each share of ``|w|`` lies; the first one is never an edge within."""
    found = [
        np.searchsorted(size[1:], 1.0 - levels)
        for size, levels in zip(steps.size, (BACKGROUND_ABOVE, SIGNAL_ABOVE), strict=True)
    ]
    every = np.unique(np.concatenate(found))
    return every[(every > 0) & (every < len(steps.score))]


def _settled(steps: _Steps, wanted: NDArray[np.intp]) -> NDArray[np.intp]:
    """Each edge at the candidate around it where the binned area up to there is nearest to the exact one."""
    chosen, last, missing = [], 0, 0.0
    middles = np.append((wanted[1:] + wanted[:-1]) // 2, len(steps.score) - 1)
    for middle in middles[: len(wanted)].tolist():
        if middle <= last:
            continue
        candidates = np.unique(
            np.linspace(last + (middle - last + 1) // 2, middle, CANDIDATES).astype(np.intp)
        )
        candidates = candidates[candidates > last]
        low, high = steps.before[:, [last]], steps.before[:, candidates]
        binned = (high[1] - low[1]) * (high[0] + low[0]) / 2
        errors = missing + steps.area[candidates] - steps.area[last] - binned
        best = int(np.abs(errors).argmin())
        last, missing = int(candidates[best]), float(errors[best])
        chosen.append(last)
    return np.array(chosen, np.intp)


def _span(inner: Array) -> Array:
    """A little further than the inner edges to both sides, however far single events lie."""
    rim = max(0.03 * np.ptp(inner), 1e-5 * max(1.0, np.abs(inner).max()))
    return np.array([inner.min() - rim, inner.max() + rim], np.float32).astype(np.float64)


def _stored(edges: Array, span: Array) -> Array:
    """At or just below each edge, so that events with one score stay above the edge that they made."""
    width = span[1] - span[0]
    steps = np.floor((edges - span[0]) / width * STEPS).clip(0, STEPS)
    steps -= (steps > 0) & (span[0] + width * (steps / STEPS) > edges)
    steps[-1] = STEPS
    steps = np.unique(steps)
    filled: Array = np.append(steps, np.full(BINS + 1 - len(steps), float(STEPS))).astype(np.uint16)
    return filled


def binned_auc(shares: Array) -> Array:
    """The area under the ROC curve, as :func:`tsunagu.metrics.auc` counts it, with all events of a bin equal.

    Args:
        shares: ``[..., 2, B]``, background and signal.

    Returns:
        ``[...]``.

    >>> binned_auc(np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])).tolist()
    0.875
    """
    background, signal = np.moveaxis(shares.astype(np.float64), -2, 0)
    below = np.cumsum(background, axis=-1) - background
    area: Array = (signal * (below + 0.5 * background)).sum(axis=-1)
    return area
