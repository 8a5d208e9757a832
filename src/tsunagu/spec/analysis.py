"""What a study file says of the measurement: its score, its processes, and its bins."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tsunagu.spec.fields import Name, PositiveFloat, PositiveInt, Weight
from tsunagu.spec.model import Model

__all__ = ["Analysis", "Bins", "LabelledProcess"]


class LabelledProcess(Model):
    """A process whose events stand among others in the same files, and are told by a column.

    Args:
        column: that tells processes apart, such as the class label.
        value: what stands in it for events of this process.
        signal: whether it scales with the signal strength.
        scale: multiplies the physics weight, such as the luminosity over that of the simulated events.

    >>> LabelledProcess(column="is_higgs", value=1, signal=True).scale
    1.0
    """

    column: Name
    value: StrictInt
    signal: StrictBool = False
    scale: PositiveFloat = 1.0


class Bins(Model):
    """How the score is binned: best for the Asimov significance of the validation events, within these rules.

    Args:
        bins: at most so many.
        min_background: effective number of simulated background events in each, ``(sum w)^2 / sum w^2``.
        max_error: largest relative statistical error of the background in each.
        uncertainty: of the background, relative, that the binning expects beside the statistical error.
        fine: bins from whose edges the edges are taken.
    """

    bins: PositiveInt = 8
    min_background: Weight = 10.0
    max_error: Weight = 0.3
    uncertainty: Weight = 0.0
    fine: PositiveInt = 100

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.fine < self.bins:
            found = {"bins": self.bins, "fine": self.fine}
            raise PydanticCustomError("value", "fine must be at least bins, found {fine} and {bins}", found)
        return self


class Analysis(Model):
    """From the score to a measurement.

    Args:
        score: an output of the pipeline.
        processes: by name, told by a column; a signal among them and a background. Those of ``data.processes`` without.
        signals: which of ``data.processes`` scale with the signal strength; those with the label ``signal_class`` without.
        signal_class: the class that counts as signal in the score.
        binning: of the score.
        luminosity: its relative uncertainty; 0 for none.
        variables: columns that are drawn by process and correlated; single numbers of the inputs by default.
        blind: data are not looked at in bins of the score where the expected signal is more than this share of the background;
            null for no bin, and the data are fitted.
    """

    score: Name
    processes: dict[Name, LabelledProcess] = {}
    signals: list[Name] = []
    signal_class: Annotated[StrictInt, Field(ge=0)] = 1
    binning: Bins = Bins()
    luminosity: Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)] = 0.0
    variables: list[Name] = []
    blind: Weight | None = 0.05

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.processes and self.signals:
            raise PydanticCustomError(
                "value",
                "signals: is for data.processes; each of analysis.processes says `signal: true` itself",
            )
        seen: dict[tuple[str, int], str] = {}
        for name, process in self.processes.items():
            other = seen.setdefault((process.column, process.value), name)
            if other != name:
                found = {"found": f"{other} and {name}", "events": f"{process.column} = {process.value}"}
                raise PydanticCustomError("value", "processes: {found} are the same events, {events}", found)
        return self
