"""Weighted score histograms whose bins follow the events, fine in the tails: what a page redraws its curves from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from tsunagu.report.page.scan import Scan
from tsunagu.report.stored import Array

__all__ = ["BINS", "Binned", "bin_scores", "binned_auc"]

_TAIL = np.geomspace(5e-5, 0.02, 12)
BACKGROUND_ABOVE = np.concatenate([_TAIL, np.linspace(0.04, 0.98, 21)])
SIGNAL_ABOVE = np.concatenate([[0.003], np.linspace(0.01, 0.99, 34), [0.997]])
"""Shares of each class above an edge: background is followed down to where a ten-thousandth of it passes."""
BINS = len(BACKGROUND_ABOVE) + len(SIGNAL_ABOVE) + 1
STEPS = 65535


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

    The edges are quantiles of ``|w|`` of both classes. They are rounded as they are stored before anything is counted,
    so that the rounding moves no event.

    Args:
        scan: of one trial.
        signal: the class.
    """
    own = scan.labels == signal
    parts = [
        _bin(odds[~own], odds[own], scan.weights[~own], scan.weights[own])
        for odds in scan.logits(signal)[scan.order]
    ]
    span, steps, shares = (np.stack(each) for each in zip(*parts, strict=True))
    return Binned(span=span, steps=steps, shares=shares)


def _bin(background: Array, signal: Array, weight_b: Array, weight_s: Array) -> tuple[Array, Array, Array]:
    samples = [_sorted(background, weight_b), _sorted(signal, weight_s)]
    wanted = np.concatenate([
        _above(*sample, levels)
        for sample, levels in zip(samples, (BACKGROUND_ABOVE, SIGNAL_ABOVE), strict=True)
    ])
    lowest = min(scores[0] for scores, _ in samples)
    span = _span(min(lowest, wanted.min()), wanted.max())
    steps = _steps(np.concatenate([[span[0]], wanted, [span[1]]]), span)
    edges = span[0] + (span[1] - span[0]) * (steps / STEPS)
    shares = np.stack([_shares(*sample, edges) for sample in samples])
    return span.astype(np.float32), steps, shares.astype(np.float16)


def _sorted(scores: Array, weights: Array) -> tuple[Array, Array]:
    order = np.argsort(scores, kind="stable")
    return scores[order], weights[order]


def _above(scores: Array, weights: Array, levels: Array) -> Array:
    """The scores above which each share of ``|w|`` lies."""
    size = np.cumsum(np.abs(weights))
    place = np.searchsorted(size, (1.0 - levels) * size[-1])
    found: Array = scores[np.minimum(place, len(scores) - 1)]
    return found


def _span(low: float, high: float) -> Array:
    ends = np.array([low, max(high, low + 1e-4)], np.float32)
    return ends.astype(np.float64)


def _steps(edges: Array, span: Array) -> Array:
    steps = np.unique(np.rint((edges - span[0]) / (span[1] - span[0]) * STEPS).clip(0, STEPS))
    filled: Array = np.append(steps, np.full(BINS + 1 - len(steps), float(STEPS))).astype(np.uint16)
    return filled


def _shares(scores: Array, weights: Array, edges: Array) -> Array:
    below = np.concatenate([[0.0], np.cumsum(weights)])
    inner = below[np.searchsorted(scores, edges[1:-1])]
    counted: Array = np.diff(np.concatenate([[0.0], inner, [below[-1]]])) / below[-1]
    return counted


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
