"""Expected significance, limits, pulls and impacts of a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array
from tsunagu.analysis.model import Likelihood, Minimum
from tsunagu.analysis.workspace import STATISTICS, STRENGTH, Workspace
from tsunagu.errors import DataError

__all__ = ["Expected", "Fit", "Parameter", "expected", "expected_limit", "expected_significance", "fit"]

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


@final
@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a fit.

    Args:
        name: as in the workspace.
        value: at the minimum.
        error: its standard deviation there.
        pull: ``(value - nominal) / constraint``; NaN for the signal strength.
        constraint: ``error / constraint`` width: 1 where the data say nothing about it; NaN for the signal strength.
        impact_up: how far the signal strength moves where the parameter is one ``error`` higher.
        impact_down: one lower.
    """

    name: str
    value: float
    error: float
    pull: float
    constraint: float
    impact_up: float = float("nan")
    impact_down: float = float("nan")

    @property
    def impact(self) -> float:
        """The larger size of the two; 0 for what has none."""
        return float(np.nanmax([abs(self.impact_up), abs(self.impact_down), 0.0]))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """The best parameters, the one with the largest impact first after the signal strength.

    Args:
        parameters: of the model.
        correlation: ``[N, N]``, in the order of the model, whose names are ``names``.
        names: of the model's parameters.
    """

    parameters: tuple[Parameter, ...]
    correlation: Array
    names: tuple[str, ...]

    def __getitem__(self, name: str) -> Parameter:
        return next(each for each in self.parameters if each.name == name)


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
        error=float(np.sqrt(_covariance(likelihood, best, data)[likelihood.strength, likelihood.strength])),
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


def fit(workspace: Workspace, data: ArrayLike | None = None, *, impacts: Sequence[str] | None = None) -> Fit:
    """Fit a workspace to its observations, or to other data.

    Args:
        workspace: of :func:`~tsunagu.analysis.workspace.make_workspace`.
        data: ``[B]`` events in the bins of all channels; the constraints stay as they are. Or with the data of the
            constraints behind them, as toys have.
        impacts: the parameters that are moved by their error, with everything else fitted again; all but the statistical errors
            of bins by default. The impact of the others is the linear one, ``cov(mu, parameter) / error``.

    Raises:
        DataError: the fit fails, pyhf is not installed.
    """
    likelihood = Likelihood(workspace)
    full = likelihood.observed
    if data is not None:
        given = np.asarray(data, dtype=np.float64)
        full = given if len(given) == len(full) else np.concatenate([given, full[len(given) :]])
    best = likelihood.minimise(full)
    covariance = _covariance(likelihood, best, full)
    errors = np.sqrt(np.diag(covariance))
    moved = _impacts(likelihood, best, covariance, full, impacts)
    widths, nominal = likelihood.widths(), likelihood.nominal
    found = [
        Parameter(
            name=name,
            value=float(best.parameters[p]),
            error=float(errors[p]),
            pull=float((best.parameters[p] - nominal[p]) / widths[p]),
            constraint=float(errors[p] / widths[p]),
            impact_up=moved.get(p, (np.nan, np.nan))[0],
            impact_down=moved.get(p, (np.nan, np.nan))[1],
        )
        for p, name in enumerate(likelihood.names)
    ]
    with np.errstate(invalid="ignore"):
        correlation = covariance / np.outer(errors, errors)
    ranked = sorted(found, key=lambda each: (each.name != STRENGTH, -each.impact))
    return Fit(parameters=tuple(ranked), correlation=correlation, names=tuple(likelihood.names))


def _impacts(
    likelihood: Likelihood, best: Minimum, covariance: Array, data: Array, names: Sequence[str] | None
) -> Mapping[int, tuple[float, float]]:
    place, errors = likelihood.strength, np.sqrt(np.diag(covariance))
    found: dict[int, tuple[float, float]] = {}
    for p, name in enumerate(likelihood.names):
        if p == place or not errors[p] > 0:
            continue
        if (names is None and STATISTICS not in name) or name in (names or ()):
            found[p] = _moved(likelihood, best, p, errors[p], data)
        else:
            linear = float(covariance[place, p] / errors[p])
            found[p] = linear, -linear
    return found


def _moved(likelihood: Likelihood, best: Minimum, p: int, error: float, data: Array) -> tuple[float, float]:
    place = likelihood.strength
    ends = [best.parameters[p] + sign * error for sign in (1.0, -1.0)]
    fits = [likelihood.minimise(data, {p: end}, best.parameters) for end in ends]
    up, down = (float(each.parameters[place] - best.parameters[place]) for each in fits)
    return up, down


def _covariance(likelihood: Likelihood, best: Minimum, data: Array) -> Array:
    """The inverse of half the matrix of second derivatives of ``-2 ln L``, by central differences; fixed parameters have 0."""
    config = likelihood.model.config
    free = [p for p, held in enumerate(config.suggested_fixed()) if not held]
    widths = likelihood.widths()
    steps = np.where(np.isfinite(widths), 0.05 * widths, 0.01 * np.maximum(np.abs(best.parameters), 0.1))

    def at(*moves: tuple[int, float]) -> float:
        moved = best.parameters.copy()
        for p, sign in moves:
            moved[p] += sign * steps[p]
        return likelihood.value(moved, data)

    centre, size = at(), len(free)
    second = np.zeros((size, size))
    for i, p in enumerate(free):
        second[i, i] = (at((p, 1.0)) - 2 * centre + at((p, -1.0))) / steps[p] ** 2
        for j, q in enumerate(free[:i]):
            mixed = (
                at((p, 1.0), (q, 1.0))
                + at((p, -1.0), (q, -1.0))
                - at((p, 1.0), (q, -1.0))
                - at((p, -1.0), (q, 1.0))
            )
            second[i, j] = second[j, i] = mixed / (4 * steps[p] * steps[q])
    covariance = np.zeros((len(steps), len(steps)))
    try:
        covariance[np.ix_(free, free)] = np.linalg.inv(second / 2)
    except np.linalg.LinAlgError as error:
        msg = "fit: the errors cannot be computed: a parameter changes nothing; leave out what has no effect"
        raise DataError(msg) from error
    covariance[np.diag_indices(len(steps))] = np.maximum(np.diag(covariance), 0.0)
    return covariance


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
