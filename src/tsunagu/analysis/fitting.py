"""Pulls, impacts and errors of a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array
from tsunagu.analysis.model import Likelihood, Minimum
from tsunagu.analysis.workspace import STATISTICS, STRENGTH, Workspace
from tsunagu.errors import DataError

__all__ = ["Fit", "Parameter", "covariance_of", "fit"]


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
    covariance = covariance_of(likelihood, best, full)
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


def covariance_of(likelihood: Likelihood, best: Minimum, data: Array) -> Array:
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
