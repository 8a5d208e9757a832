"""The parts of the natural-gradient step of ASNG, on categorical distributions stored side by side.

``D`` labels, ``K`` the largest number of options, ``N`` the number of free probabilities. Options that a label does
not have are padding: probability 0, mask False. All in float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fisher_norm", "restrict", "utilities", "whitened"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def utilities(losses: list[float], tolerance: float = 0.0) -> Floats:
    """The worth of each sample by the rank of its loss, so that an increasing transform of the losses changes nothing.

    The best quarter (rounded up) of the samples shares +1, the worst quarter -1; samples whose losses are equal share
    the mean of their places.

    Args:
        losses: one for each sample; infinite for a sample that failed.
        tolerance: neighbouring losses that differ by no more are equal. It is absolute: relative to the loss, as in
            the authors' code, it finds no equal losses where they are zero or negative.

    >>> utilities([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).tolist()
    [0.5, 0.5, 0.0, 0.0, -0.5, -0.5]
    >>> utilities([-1.0, -1.0]).tolist()
    [0.0, 0.0]
    """
    number = len(losses)
    sized = -(-number // 4)
    places = np.zeros(number)
    places[:sized] += 1.0 / sized
    places[number - sized :] -= 1.0 / sized
    order = np.argsort(losses, kind="stable")
    ascending = np.asarray(losses, dtype=float)[order]
    with np.errstate(invalid="ignore"):  # inf - inf: equal, as the first comparison says
        equal = (ascending[1:] == ascending[:-1]) | (np.diff(ascending) <= tolerance)
    group = np.concatenate([[0], np.cumsum(~equal)])
    shared = np.bincount(group, places) / np.bincount(group)
    worth = np.empty(number)
    worth[order] = shared[group]
    return worth


def fisher_norm(gradient: Floats, theta: Floats, mask: Mask) -> float:
    """The length of a natural gradient ``[D, K]`` in the Fisher metric, ``sqrt(sum_ij G_ij^2 / theta_ij)``."""
    return float(np.sqrt(np.sum(np.where(mask, gradient**2 / np.where(mask, theta, 1.0), 0.0))))


def whitened(gradient: Floats, theta: Floats, mask: Mask) -> Floats:
    """The natural gradient in coordinates of unit Fisher information: ``[D, K - 1]``, with its Fisher norm as length.

    ``s_ij = G_ij / sqrt(theta_ij) + sqrt(theta_ij) sum_(l < C) G_il / (theta_iC + sqrt(theta_iC))``, j < C, where C is
    the last option of label i (arXiv:1905.08537).

    >>> theta = np.array([[0.2, 0.3, 0.5]])
    >>> mask = np.ones_like(theta, dtype=bool)
    >>> gradient = np.array([[0.1, 0.1, -0.2]])
    >>> bool(np.isclose(np.linalg.norm(whitened(gradient, theta, mask)), fisher_norm(gradient, theta, mask)))
    True
    """
    rows, last = np.arange(len(theta)), mask.sum(axis=1) - 1
    end = theta[rows, last]
    free = mask.copy()
    free[rows, last] = False
    root = np.sqrt(np.where(free, theta, 1.0))
    total = np.where(free, gradient, 0.0).sum(axis=1) / (end + np.sqrt(end))
    return np.where(free, gradient / root + root * total[:, None], 0.0)[:, :-1]


def restrict(theta: Floats, floor: Floats, mask: Mask) -> Floats:
    """Probabilities no smaller than a floor: clip, then take the excess from what is above it, in proportion.

    Args:
        theta: ``[D, K]``, rows of sum 1.
        floor: ``[D]``, at most ``1 / C`` of each row.
        mask: ``[D, K]``.

    >>> restrict(np.array([[0.7, 0.3, 0.0]]), np.array([0.1]), np.ones((1, 3), dtype=bool)).round(3).tolist()
    [[0.625, 0.275, 0.1]]
    """
    clipped = np.where(mask, np.maximum(theta, floor[:, None]), 0.0)
    above = np.where(mask, clipped - floor[:, None], 0.0)
    excess, spare = clipped.sum(axis=1) - 1.0, above.sum(axis=1)
    share = np.divide(excess, spare, out=np.zeros_like(spare), where=spare > 0.0)
    lowered = np.where(mask, clipped - share[:, None] * above, 0.0)
    summed: Floats = lowered / lowered.sum(axis=1, keepdims=True)
    return summed
