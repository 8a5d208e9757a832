"""Points that no other beats in everything, and the volume that they beat.

Legend: ``N`` points, ``T`` costs, of which each is the better the smaller it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["hypervolume", "pareto_front"]

Array = NDArray[np.float64]


def pareto_front(costs: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other one dominates: is at least as good in everything and better in something.

    Args:
        costs: ``[N, T]``; a point with a NaN is on no front.

    Returns:
        ``[N]``; equal points are on it together.

    >>> pareto_front([[1.0, 4.0], [2.0, 2.0], [3.0, 3.0], [4.0, 1.0]]).tolist()
    [True, True, False, True]
    """
    points = _points(costs)
    real = ~np.isnan(points).any(1)
    first, second = points[:, None], points[None]
    dominates: NDArray[np.bool_] = np.all(first <= second, -1) & np.any(first < second, -1)
    beaten: NDArray[np.bool_] = np.any(dominates, 0)
    on: NDArray[np.bool_] = np.logical_and(real, ~beaten)
    return on


def hypervolume(costs: ArrayLike, reference: ArrayLike) -> float:
    """The volume of what is dominated by some point and dominates the reference, exactly, for one to three costs.

    Args:
        costs: ``[N, T]``, T from 1 to 3; points that are not below the reference in everything add nothing.
        reference: ``[T]``. Two volumes can be compared where it is the same.

    Raises:
        ValueError: other shapes, or more costs.

    >>> hypervolume([[1.0, 2.0], [2.0, 1.0]], [3.0, 3.0])
    3.0
    >>> hypervolume([[1.0, 1.0, 1.0]], [2.0, 3.0, 4.0])
    6.0
    """
    points, corner = _points(costs), np.asarray(reference, np.float64)
    if corner.shape != points.shape[1:] or not 1 <= len(corner) <= 3:
        msg = f"a volume of one to three costs [N, T] and their reference [T] expected, found {points.shape} and {corner.shape}"
        raise ValueError(msg)
    inside = points[(points < corner).all(1)]
    return _volume(inside, corner)


def _volume(points: Array, corner: Array) -> float:
    """By slices along the last cost: between two points it is the volume of those before, in the other costs."""
    if not len(points):
        return 0.0
    if len(corner) == 1:
        return float(corner[0] - points.min())
    order = points[np.argsort(points[:, -1], kind="stable")]
    heights = np.diff([*order[:, -1], corner[-1]])
    slices = [
        _volume(order[: place + 1, :-1], corner[:-1]) * height
        for place, height in enumerate(heights)
        if height > 0.0
    ]
    return float(sum(slices))


def _points(costs: ArrayLike) -> Array:
    points = np.asarray(costs, np.float64)
    if points.ndim != 2:
        msg = f"points [N, T] expected, found {points.shape}"
        raise ValueError(msg)
    return points
