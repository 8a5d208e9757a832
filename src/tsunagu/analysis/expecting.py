"""Expected significance and limits of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import final

import numpy as np

from tsunagu.analysis.fitting import covariance_of
from tsunagu.analysis.model import Likelihood, Minimum
from tsunagu.analysis.workspace import Workspace
from tsunagu.errors import DataError

__all__ = ["Expected", "expected", "expected_limit", "expected_significance"]

NORMAL = NormalDist()
BANDS = (-2, -1, 0, 1, 2)


@final
@dataclass(frozen=True, kw_only=True)
class Expected:
    """What an experiment is expected to say.

    Args:
        significance: median discovery significance for a signal strength of 1, with all uncertainties.
        without_systematics: the same with every nuisance parameter at its nominal value.
        error: of the signal strength.
        limit: median upper limit on the signal strength at 95 % CLs if there is no signal.
        band: the limits for fluctuations of -2, -1, 0, 1 and 2 standard deviations.
    """

    significance: float
    without_systematics: float
    error: float
    limit: float
    band: tuple[float, ...]


def expected(workspace: Workspace) -> Expected:
    """The expected significance, error and limit of a workspace; its observations are not looked at.

    Raises:
        DataError: a fit fails, or pyhf is not installed.
    """
    likelihood = Likelihood(workspace)
    band = expected_limit(likelihood)
    data = likelihood.expected(1.0)
    best = Minimum(parameters=likelihood.nominal, value=likelihood.value(likelihood.nominal, data))
    return Expected(
        significance=expected_significance(likelihood),
        without_systematics=expected_significance(likelihood, likelihood.names),
        error=float(np.sqrt(covariance_of(likelihood, best, data)[likelihood.strength, likelihood.strength])),
        limit=band[2],
        band=band,
    )


def expected_significance(likelihood: Likelihood, without: Sequence[str] = ()) -> float:
    r"""The median discovery significance :math:`\sqrt{q_0}` of the Asimov data with a signal of the expected size.

    Args:
        likelihood: of a workspace.
        without: parameters that are known exactly: what the uncertainty costs is the difference.

    Raises:
        DataError: the fit fails.

    Source: Cowan, Cranmer, Gross & Vitells, Eur. Phys. J. C 71 (2011) 1554, eqs. 12 and 53.
    """
    data, nominal = likelihood.expected(1.0), likelihood.nominal
    held = {p: nominal[p] for p, name in enumerate(likelihood.names) if name in without}
    background = likelihood.minimise(data, held | {likelihood.strength: 0.0})
    # The Asimov data are fitted best by what they were made with.
    return float(np.sqrt(max(background.value - likelihood.value(nominal, data), 0.0)))


def expected_limit(likelihood: Likelihood, level: float = 0.05) -> tuple[float, ...]:
    r"""Median upper limit on the signal strength by CLs, and its band, in the absence of a signal.

    For the Asimov data without signal, with :math:`q = \tilde q_\mu`, and a fluctuation of N standard deviations
    :math:`\mathrm{CL}_s = (1 - \Phi(\sqrt q - N)) / \Phi(N)`; the limit is the strength at which it is ``level``.

    Args:
        likelihood: of a workspace.
        level: 1 minus the confidence level.

    Returns:
        Five limits, for N = -2, -1, 0, 1, 2.

    Raises:
        DataError: a fit fails, or no strength up to a thousand million is excluded.

    Source: Cowan, Cranmer, Gross & Vitells, Eur. Phys. J. C 71 (2011) 1554, eq. 89 with CLs.
    """
    data = likelihood.expected(0.0)
    start = likelihood.nominal
    start[likelihood.strength] = 0.0
    lowest, known = likelihood.value(start, data), dict[float, float]()

    def root(strength: float) -> float:
        if strength not in known:
            held = likelihood.minimise(data, {likelihood.strength: strength}, start)
            known[strength] = float(np.sqrt(max(held.value - lowest, 0.0)))
        return known[strength]

    targets = [n + NORMAL.inv_cdf(1.0 - level * NORMAL.cdf(n)) for n in BANDS]
    return tuple(_where(root, target) for target in targets)


def _where(function: object, target: float) -> float:
    """Where a rising function reaches a value, to a thousandth of it."""
    assert callable(function)
    low, high = 0.0, 1.0
    while function(high) < target:
        low, high = high, 2.0 * high
        if high > 1e9:
            msg = (
                f"limit: no signal strength up to {high:g} is excluded; is there any signal in the templates?"
            )
            raise DataError(msg)
    while high - low > 1e-5 * high:
        bottom, top = function(low), function(high)
        # The root of q is nearly a straight line of the strength.
        guess = low + (high - low) * (target - bottom) / (top - bottom)
        guess = min(max(guess, low + 0.02 * (high - low)), high - 0.02 * (high - low))
        low, high = (guess, high) if function(guess) < target else (low, guess)
        if abs(function(guess) - target) < 1e-3 * target:
            return float(guess)
    return float((low + high) / 2)
