"""How well two rankings agree."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.errors import DataError

__all__ = ["kendall_tau"]


def kendall_tau(one: ArrayLike, other: ArrayLike) -> float:
    r"""Kendall's rank correlation :math:`\tau_b = (C - D) / \sqrt{(P - T_1)(P - T_2)}` (Biometrika 33 (1945) 239).

    C pairs are in the same order in both, D in opposite order; of all P pairs, T are equal in one of them. So it is 1
    for the same order, -1 for the opposite one, and about 0 for rankings that have nothing to do with each other. Not
    a number where one of them has all values equal: there is no order to agree with.

    Args:
        one: ``[N]``, finite, such as the losses of N architectures by the weights of a supernet.
        other: ``[N]``, finite, such as those of the same architectures, each trained alone.

    Raises:
        DataError: unlike shapes, fewer than two values, or values that are not finite.

    >>> round(kendall_tau([1, 2, 3, 4], [1, 3, 2, 4]), 4)
    0.6667
    """
    pair = [np.asarray(values, dtype=float) for values in (one, other)]
    if pair[0].shape != pair[1].shape or pair[0].ndim != 1 or pair[0].size < 2:
        msg = f"kendall_tau: two lists of one length, 2 or more, expected; found {pair[0].shape}, {pair[1].shape}"
        raise DataError(msg)
    if not all(np.isfinite(values).all() for values in pair):
        msg = "kendall_tau: all values must be finite; leave out what failed, in both lists"
        raise DataError(msg)
    above = np.triu_indices(pair[0].size, 1)
    signs = [np.sign(values[:, None] - values[None, :])[above] for values in pair]
    ordered = [float(np.abs(sign).sum()) for sign in signs]
    if not min(ordered):
        return math.nan
    return float((signs[0] * signs[1]).sum()) / math.sqrt(ordered[0] * ordered[1])
