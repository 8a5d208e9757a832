"""The likelihood of a workspace and its minima, by pyhf; nothing of the global state of pyhf is changed for others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array
from tsunagu.analysis.extra import quiet_schemas, require
from tsunagu.analysis.workspace import STRENGTH, Workspace
from tsunagu.errors import DataError

__all__ = ["Likelihood", "Minimum"]

METHODS: tuple[dict[str, Any], ...] = (
    {"tolerance": 1e-9},
    {"tolerance": 1e-6},
    {"method": "L-BFGS-B", "do_stitch": True},
)
"""How a minimum is looked for, one after the other where one fails."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Minimum:
    """The best parameters ``[N]``, in the order of the model, and twice the negative logarithm of the likelihood there."""

    parameters: Array
    value: float


@final
@dataclass(frozen=True, eq=False)
class Likelihood:
    """What pyhf makes of a workspace."""

    workspace: Workspace

    @cached_property
    def model(self) -> Any:
        """The ``pyhf.Model``.

        Raises:
            DataError: pyhf is not installed.
        """
        pyhf = require("pyhf")
        with _numpy_backend(), quiet_schemas():
            # The workspace was validated when it was made.
            return pyhf.Workspace(self.workspace, validate=False).model(validate=False)

    @property
    def names(self) -> list[str]:
        """Of the parameters: a vector has one name for each number, as ``statistics[3]``."""
        return list(self.model.config.par_names)

    @property
    def nominal(self) -> Array:
        """The parameters before any fit, with a signal strength of 1."""
        return self._with_strength(1.0)

    @property
    def strength(self) -> int:
        """The place of the signal strength."""
        return int(self.model.config.poi_index)

    @property
    def observed(self) -> Array:
        """The data of the workspace, with those of the constraints."""
        with _numpy_backend():
            data = [value for each in self.workspace["observations"] for value in each["data"]]
            return np.asarray([*data, *self.model.config.auxdata])

    def expected(self, strength: float = 1.0) -> Array:
        """The Asimov data: what is expected for nominal parameters and this signal strength."""
        with _numpy_backend():
            return np.asarray(self.model.expected_data(self._with_strength(strength)))

    def minimise(
        self, data: ArrayLike, fixed: Mapping[int, float] | None = None, start: Array | None = None
    ) -> Minimum:
        """The best parameters.

        Args:
            data: as :attr:`observed` and :meth:`expected`.
            fixed: values of parameters by place, that stay.
            start: where to begin; at the nominal parameters by default.

        Raises:
            DataError: no minimum is found; the message has what the minimiser said.
        """
        pyhf, config = require("pyhf"), self.model.config
        begin = (self.nominal if start is None else start).copy()
        held = [bool(flag) for flag in config.suggested_fixed()]
        for place, value in (fixed or {}).items():
            begin[place], held[place] = value, True
        bounds = [
            (min(low, x), max(high, x))
            for (low, high), x in zip(config.suggested_bounds(), begin, strict=True)
        ]
        at = self.strength
        bounds[at] = (min(self._lowest, begin[at]), bounds[at][1])
        reasons = []
        with _numpy_backend():
            for method in METHODS:
                settings = dict(init_pars=begin.tolist(), par_bounds=bounds, fixed_params=held, **method)
                try:
                    with np.errstate(all="ignore"):
                        best, value = pyhf.infer.mle.fit(
                            np.asarray(data), self.model, return_fitted_val=True, **settings
                        )
                except (pyhf.exceptions.FailedMinimization, ValueError) as error:
                    reasons.append(str(error).splitlines()[0])
                    continue
                return Minimum(parameters=np.asarray(best, dtype=np.float64), value=float(value))
        msg = f"fit: no minimum of the likelihood was found ({'; '.join(dict.fromkeys(reasons))}); look at the templates"
        raise DataError(msg)

    @cached_property
    def _lowest(self) -> float:
        """A negative signal strength that leaves events in every bin: a fit must be free to fluctuate below 0."""
        background, both = (self.expected(strength)[: self._bins] for strength in (0.0, 1.0))
        signal = both - background
        return -0.5 * float((background[signal > 0] / signal[signal > 0]).min(initial=200.0))

    @property
    def _bins(self) -> int:
        return sum(len(each["data"]) for each in self.workspace["observations"])

    def value(self, parameters: Array, data: ArrayLike) -> float:
        """Twice the negative logarithm of the likelihood."""
        pyhf = require("pyhf")
        with _numpy_backend():
            return float(
                np.asarray(pyhf.infer.mle.twice_nll(parameters, np.asarray(data), self.model)).item()
            )

    def widths(self) -> Array:
        """Standard deviations of the constraints ``[N]``; NaN for what no measurement constrains."""
        config, found = self.model.config, np.full(len(self.names), np.nan)
        for name in config.par_order:
            each = config.param_set(name)
            if each.constrained:
                found[config.par_slice(name)] = each.width()
        return found

    def _with_strength(self, strength: float) -> Array:
        start = np.array(self.model.config.suggested_init(), dtype=np.float64)
        start[self.names.index(STRENGTH)] = strength
        return start


@contextmanager
def _numpy_backend() -> Iterator[None]:
    """The backend of pyhf is numpy while the block runs, whatever a user's notebook has chosen."""
    pyhf = require("pyhf")
    tensorlib, optimizer = pyhf.get_backend()
    ours = tensorlib.name == "numpy" and optimizer.name == "scipy" and tensorlib.precision == "64b"
    if not ours:
        pyhf.set_backend("numpy", "scipy", precision="64b")
    try:
        yield
    finally:
        if not ours:
            pyhf.set_backend(tensorlib, optimizer)
