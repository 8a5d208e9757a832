"""The shortest vector in the convex hull of some others, from their inner products alone.

Legend: ``R`` members, ``T`` vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["min_norm", "non_negative", "onto_dual_cone"]

ROUNDING = 1e-11
"""How far a gradient of the problem may be from 0 where it would be 0 without rounding."""

TINY = 1e-300
Array = NDArray[Any]


def min_norm(gramian: Tensor) -> Tensor:
    """``argmin_{a in simplex} ||sum_t a_t g_t||^2``, exactly.

    At the solution d = sum_t a_t g_t, ``g_t . d >= ||d||^2`` for all t, with equality where a_t > 0. For two vectors it is
    ``a_1 = clip((g_2 - g_1) . g_2 / ||g_1 - g_2||^2, 0, 1)``; for more the problem is one of non-negative least squares (Lawson and
    Hanson 1974, chapter 23): ``min_{b >= 0} ||sum_t b_t g_t||^2 + (sum_t b_t - 1)^2`` has its minimum at a multiple of it.

    Args:
        gramian: ``[R, T, T]``, the inner products; computed in float64.

    Returns:
        ``[R, T]``, float64, not negative and of sum 1; NaN where an inner product is not finite. Equal vectors share, or one of
        them takes all: d is the same.

    >>> min_norm(torch.tensor([[[1.0, 0.0], [0.0, 4.0]], [[1.0, 3.0], [3.0, 10.0]]])).round(decimals=9).tolist()
    [[0.8, 0.2], [1.0, 0.0]]
    >>> orthogonal = torch.diag(torch.tensor([1.0, 2.0, 3.0]).square())
    >>> (49 * min_norm(orthogonal[None])).round(decimals=9).tolist()
    [[36.0, 9.0, 4.0]]
    """
    gramian = gramian.double()
    if gramian.shape[-1] == 2:
        return _of_two(gramian)
    each = [_of_many(one) for one in gramian.detach().cpu().numpy()]
    return torch.from_numpy(np.stack(each)).to(gramian.device)


def onto_dual_cone(combinations: Tensor, gramian: Tensor) -> Tensor:
    """The nearest vectors to some combinations of the g_t that have no negative product with any of them, exactly.

    ``argmin_v v G v`` over ``v >= u``, for each u (proposition 1 of arXiv:2406.16232).

    Args:
        combinations: ``[..., T]``, the u.
        gramian: ``[T, T]``.

    Returns:
        ``[..., T]``, the combinations v of the g_t that they are.

    >>> conflict = torch.tensor([[18.0, -22.0], [-22.0, 38.0]])
    >>> onto_dual_cone(torch.eye(2), conflict).sum(0) / 2
    tensor([1.1111, 0.7895])
    """
    matrix = gramian.detach().double().cpu().numpy()
    matrix = matrix / max(float(np.diagonal(matrix).max()), TINY)
    given = combinations.detach().double().cpu().numpy().reshape(-1, len(matrix))
    found = np.stack([own + non_negative(matrix, -matrix @ own) for own in given])
    return torch.from_numpy(found).to(combinations).view(combinations.shape)


def _of_two(gramian: Tensor) -> Tensor:
    first, second, both = gramian[:, 0, 0], gramian[:, 1, 1], gramian[:, 0, 1]
    apart = first + second - 2.0 * both
    # Of equal vectors every share is right.
    share = ((second - both) / apart.clamp(min=TINY)).clamp(0.0, 1.0)
    return torch.stack([share, 1.0 - share], -1)


def _of_many(gramian: Array) -> Array:
    lengths = np.diagonal(gramian)
    if not np.isfinite(gramian).all():
        return np.full(len(gramian), np.nan)
    shortest = int(lengths.argmin())
    if lengths[shortest] <= 0.0:
        alone: Array = np.eye(len(gramian))[shortest]
        return alone
    # In units of the shortest vector both terms of the problem are of one size.
    unit = gramian / lengths[shortest]
    found = non_negative(unit + 1.0, np.ones(len(unit)))
    share: Array = found / found.sum()
    return _polished(unit, share)


def non_negative(matrix: Array, linear: Array) -> Array:
    """``argmin_{b >= 0} b M b / 2 - c b``, by the active sets of Lawson and Hanson; of several any one.

    Args:
        matrix: M ``[T, T]``, positive semidefinite, of a scale of 1.
        linear: c ``[T]``, in the range of M.

    >>> non_negative(np.eye(2), np.array([3.0, -1.0])).tolist()
    [3.0, 0.0]
    """
    found, active = np.zeros(len(matrix)), np.zeros(len(matrix), bool)
    for _ in range(10 * len(matrix)):
        slope = np.where(active, -np.inf, linear - matrix @ found)
        entering = int(slope.argmax())
        if not slope[entering] > ROUNDING:
            break
        active[entering] = True
        found = _inside(matrix, linear, found, active)
    return found


def _inside(matrix: Array, linear: Array, found: Array, active: Array) -> Array:
    """The minimum over the active ones, without those that it would make negative; ``active`` is changed."""
    while active.any():
        wanted = np.zeros_like(found)
        wanted[active] = np.linalg.lstsq(matrix[np.ix_(active, active)], linear[active], rcond=None)[0]
        negative = active & (wanted <= 0.0)
        if not negative.any():
            return wanted
        way = np.min(found[negative] / (found[negative] - wanted[negative] + TINY))
        found = np.where(active, found + way * (wanted - found), 0.0)
        active &= ~(negative & (found <= ROUNDING))
        found[~active] = 0.0
    return found


def _polished(gramian: Array, share: Array) -> Array:
    """The same shares without the rounding of large inner products: on their face of the simplex they solve a linear system."""
    face = share > 0.0
    size = int(face.sum())
    system = np.ones((size + 1, size + 1))
    system[:size, :size], system[size, size] = gramian[np.ix_(face, face)], 0.0
    solved = np.linalg.lstsq(system, np.eye(size + 1)[size], rcond=None)[0][:size]
    if (solved < 0.0).any() or abs(solved.sum() - 1.0) > 1e-6:
        return share
    polished = np.zeros_like(share)
    polished[face] = solved / solved.sum()
    return polished
