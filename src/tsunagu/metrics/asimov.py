"""The Asimov discovery significance of counts, exact in all limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.errors import DataError
from tsunagu.metrics.events import Array

__all__ = ["asimov_significance"]

SERIES = 0.5
"""Below this argument a logarithm is taken as a series, above it as it is."""


def asimov_significance(signal: ArrayLike, background: ArrayLike, error: ArrayLike = 0.0) -> Array:
    r"""Median discovery significance of a counting experiment with a background that is known to an error.

    .. math::

        Z_A^2 = 2\left[(s+b)\ln\frac{(s+b)(b+\sigma^2)}{b^2+(s+b)\sigma^2}
        - \frac{b^2}{\sigma^2}\ln\left(1+\frac{\sigma^2 s}{b(b+\sigma^2)}\right)\right],
        \qquad \sigma \to 0:\ 2\left[(s+b)\ln(1+s/b)-s\right]

    As written it loses all digits for a small signal. Here the terms linear in the signal are taken out and added up in closed
    form, :math:`s^2 b^2 / (D (b+\sigma^2))` with :math:`D = b^2 + (s+b)\sigma^2`, and the rest is a series; nothing
    divides by :math:`\sigma`.

    Args:
        signal: s, events; no significance where it is not positive.
        background: b, events, 0 or more. Without any, it is infinite for :math:`\sigma = 0`, and 0 for a background of which
            nothing is known (:math:`b \to 0` at a fixed error).
        error: :math:`\sigma`, events, 0 or more: of the background, absolute. All three are broadcast.

    Returns:
        :math:`Z_A`, in standard deviations, in the common shape.

    Raises:
        DataError: a number that is not finite, a negative background or a negative error.

    Source: Cowan, Cranmer, Gross & Vitells, Eur. Phys. J. C 71 (2011) 1554, eq. 97 for a known background; G. Cowan,
    "Discovery sensitivity for a counting experiment with background uncertainty" (2012), eq. 20, for one with an error.

    >>> asimov_significance([10.0, 1e-9], [100.0, 100.0], [0.0, 10.0])
    array([9.83991645e-01, 7.07106781e-11])
    >>> float(asimov_significance(1.0, 0.0))
    inf
    """
    s, b, sigma = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (signal, background, error)))
    _check_counts(s, b, sigma)
    known = (s > 0) & (b > 0)
    squared = np.zeros(s.shape)
    squared[known] = _squared(s[known], b[known], sigma[known] ** 2)
    squared[(s > 0) & (b == 0) & (sigma == 0)] = np.inf
    return np.asarray(np.sqrt(squared))


def _check_counts(s: Array, b: Array, sigma: Array) -> None:
    for name, values in (("signal", s), ("background", b), ("error", sigma)):
        if not np.isfinite(values).all():
            message = (
                f"significance: {int((~np.isfinite(values)).sum())} values of the {name} are NaN or infinite"
            )
            raise DataError(message)
        if name != "signal" and (values < 0).any():
            message = f"significance: the {name} must be 0 or more, found {values.min():g}; merge bins or add events"
            raise DataError(message)


def _squared(s: Array, b: Array, variance: Array) -> Array:
    # D and b + sigma^2 over b, so that nothing underflows for a small background.
    wide = 1.0 + variance / b
    inner = 1.0 + (s / b + 1.0) * (variance / b)
    x, y = (s / b) / inner, (s / b) * (variance / b) / wide
    share = s / wide
    direct = (s + b) * np.log1p(x) - share * _ratio(y)
    small = s * (s / b) / (inner * wide) + (s + b) * _rest(x) + share * -_rest_ratio(y)
    return np.asarray(2.0 * np.maximum(np.where(x < SERIES, small, direct), 0.0))


def _rest(x: Array) -> Array:
    """``ln(1 + x) - x``, with all digits."""
    u = np.minimum(x, SERIES) / (2.0 + np.minimum(x, SERIES))
    odd = sum(u ** (2 * k + 1) / (2 * k + 1) for k in range(1, 14))
    return np.where(
        x < SERIES, -(np.minimum(x, SERIES) ** 2) / (2.0 + np.minimum(x, SERIES)) + 2.0 * odd, np.log1p(x) - x
    )


def _rest_ratio(y: Array) -> Array:
    """``(ln(1 + y) - y) / y``, and 0 at 0."""
    return np.where(y > 0, _rest(y) / np.where(y > 0, y, 1.0), 0.0)


def _ratio(y: Array) -> Array:
    """``ln(1 + y) / y``, and 1 at 0."""
    return np.where(y > 0, np.log1p(y) / np.where(y > 0, y, 1.0), 1.0)
