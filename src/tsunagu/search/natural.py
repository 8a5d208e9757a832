"""The parts of the natural-gradient step of ASNG, on categorical distributions stored side by side.

``D`` labels, ``K`` the largest number of options, ``N`` the number of free probabilities. Options that a label does
not have are padding: probability 0, mask False. All in float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["restrict", "utilities", "whitened"]

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


def whitened(gradient: Floats, theta: Floats, mask: Mask) -> Floats:
    """The natural gradient in coordinates of unit Fisher information, ``G_ij / sqrt(theta_ij)``: ``[D, K]``.

    Its length is that of the gradient in the Fisher metric, ``sqrt(sum_ij G_ij^2 / theta_ij)``. The paper leaves the
    last option out and rotates the rest, which is as long but makes the result depend on the order of the options.

    Args:
        gradient: ``[D, K]``, rows of sum 0.
        theta: ``[D, K]``, positive where the mask is.
        mask: ``[D, K]``.
    """
    return np.where(mask, gradient / np.sqrt(np.where(mask, theta, 1.0)), 0.0)


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
