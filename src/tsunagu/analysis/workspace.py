"""A pyhf workspace of templates: the likelihood that the field's tools read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array
from tsunagu.analysis.extra import quiet_schemas, require
from tsunagu.analysis.templates import Shift, Templates, protected
from tsunagu.errors import DataError

__all__ = ["LUMINOSITY", "STATISTICS", "STRENGTH", "make_workspace"]

STRENGTH, LUMINOSITY, STATISTICS = "mu", "lumi", "statistics"
"""The parameters that are not systematic uncertainties of the user's: signal strength, luminosity, simulated events."""
SAME, NEGLIGIBLE = 1e-9, 0.01
Workspace = dict[str, Any]


def make_workspace(
    templates: Templates,
    *,
    luminosity: float = 0.0,
    statistics: bool = True,
    data: ArrayLike | None = None,
    channel: str | None = None,
) -> Workspace:
    """The workspace of one channel, validated against pyhf's schema.

    A systematic uncertainty is split for each process into its yield (``normsys``) and the rest (``histosys``), under one
    name, so that it is one parameter for all processes. ``normfactor mu`` scales the signals, ``lumi`` scales everything, and
    ``staterror`` holds the statistical error of the simulated events of each bin: one for all backgrounds, and one for all
    signals where theirs is more than 1 % of the bin. With one for both, as is common, the error of the background would
    shrink with the signal that is fitted.

    Args:
        templates: without empty bins after :func:`~tsunagu.analysis.templates.protected`, which is applied here.
        luminosity: relative uncertainty; 0 for none.
        statistics: whether the simulated events have statistical errors.
        data: ``[B]`` observed events; by default what is expected with the signal, so nothing is looked at.
        channel: its name; that of the templates' axis by default.

    Returns:
        Plain data, as in ``workspace.json``.

    Raises:
        DataError: a bin without background, a yield that turns negative, data of another length, pyhf is not installed.
    """
    safe = protected(templates)
    if not 0.0 <= luminosity < 1.0:
        msg = f"workspace: the relative uncertainty of the luminosity must be 0 to 1, found {luminosity}"
        raise DataError(msg)
    names = [STRENGTH, LUMINOSITY, STATISTICS, f"{STATISTICS}_signal", "nominal"]
    if taken := [name for name in safe.shifts if name in names]:
        msg = f"workspace: a systematic uncertainty may not be called '{taken[0]}'"
        raise DataError(msg)
    name = channel or safe.axis
    samples = [_sample(safe, p, luminosity, statistics) for p in range(len(safe.processes))]
    made: Workspace = {
        "channels": [{"name": name, "samples": samples}],
        "observations": [{"name": name, "data": _observed(safe, data)}],
        "measurements": [{"name": "measurement", "config": _measurement(luminosity)}],
        "version": "1.0.0",
    }
    _validate(made)
    return made


def _sample(templates: Templates, p: int, luminosity: float, statistics: bool) -> dict[str, Any]:
    process, nominal = templates.processes[p], templates.nominal
    modifiers: list[dict[str, Any]] = []
    if process in templates.signals:
        modifiers.append({"name": STRENGTH, "type": "normfactor", "data": None})
    if luminosity:
        modifiers.append({"name": LUMINOSITY, "type": "lumi", "data": None})
    for name, shift in templates.shifts.items():
        modifiers += _shifted(name, nominal.sums[p], shift, p)
    if statistics and (errors := _simulated(templates, p)).any():
        kind = STATISTICS if process not in templates.signals else f"{STATISTICS}_signal"
        modifiers.append({"name": kind, "type": "staterror", "data": errors.tolist()})
    return {"name": process, "data": nominal.sums[p].tolist(), "modifiers": modifiers}


def _simulated(templates: Templates, p: int) -> Array:
    """The statistical errors of a process; 0 in bins where those of all signals are negligible."""
    errors = np.sqrt(templates.nominal.variances[p])
    if templates.processes[p] not in templates.signals:
        return np.asarray(errors)
    counted = templates.total(signal=True).errors > NEGLIGIBLE * templates.nominal.sums.sum(0)
    return np.asarray(np.where(counted, errors, 0.0))


def _shifted(name: str, nominal: Array, shift: Shift, p: int) -> list[dict[str, Any]]:
    up, down = shift.up.sums[p], shift.down.sums[p]
    high, low = up.sum() / nominal.sum(), down.sum() / nominal.sum()
    found: list[dict[str, Any]] = []
    if max(abs(high - 1.0), abs(low - 1.0)) > SAME:
        found.append({"name": name, "type": "normsys", "data": {"hi": float(high), "lo": float(low)}})
    shapes = up / high, down / low
    if max(np.abs(shape - nominal).max() for shape in shapes) > SAME * nominal.max():
        data = {"hi_data": shapes[0].tolist(), "lo_data": shapes[1].tolist()}
        found.append({"name": name, "type": "histosys", "data": data})
    return found


def _observed(templates: Templates, data: ArrayLike | None) -> list[float]:
    if data is None:
        expected: list[float] = templates.nominal.sums.sum(0).tolist()
        return expected
    found = np.asarray(data, dtype=np.float64)
    if found.shape != (templates.bins,) or not (np.isfinite(found).all() and (found >= 0).all()):
        msg = f"workspace: {templates.bins} numbers of observed events, 0 or more, expected; found {found.tolist()}"
        raise DataError(msg)
    observed: list[float] = found.tolist()
    return observed


def _measurement(luminosity: float) -> dict[str, Any]:
    parameters: Sequence[dict[str, Any]] = [{"name": STRENGTH, "inits": [1.0], "bounds": [[0.0, 100.0]]}]
    if luminosity:
        bounds = [[max(1.0 - 5 * luminosity, 0.0), 1.0 + 5 * luminosity]]
        lumi = {
            "name": LUMINOSITY,
            "auxdata": [1.0],
            "sigmas": [luminosity],
            "inits": [1.0],
            "bounds": bounds,
        }
        parameters = [*parameters, lumi]
    return {"poi": STRENGTH, "parameters": list(parameters)}


def _validate(workspace: Workspace) -> None:
    pyhf = require("pyhf")
    with quiet_schemas():
        try:
            pyhf.schema.validate(workspace, "workspace.json")
        except pyhf.exceptions.InvalidSpecification as error:
            msg = f"workspace: not what pyhf's schema wants: {error}"
            raise DataError(msg) from error
