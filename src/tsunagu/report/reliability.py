"""Whether the predicted probabilities of every method are what they say, before and after a calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np
import torch
from numpy.typing import ArrayLike

from tsunagu.losses import HasProbability, Loss
from tsunagu.metrics import Isotonic, Reliability, reliability
from tsunagu.report.numbers import across_seeds
from tsunagu.report.outcome import Method, Outcome, Output
from tsunagu.report.scores import Sample, labelled_scores
from tsunagu.report.scores import probability as softmax
from tsunagu.report.stored import Array, StoredTrial, each_drawable, read_yaml
from tsunagu.report.style import Drawing, Line, canvas, dress, line, long_table
from tsunagu.spec import LossTerm
from tsunagu.tasks import plain_loss

__all__ = ["draw_reliability"]

EDGES = np.linspace(0.0, 1.0, 11)
_LEGEND: Mapping[str, object] = {
    "loc": "upper left",
    "title": "mean distance to the diagonal (after isotonic)",
}


@final
@dataclass(frozen=True, kw_only=True)
class _Curve:
    """The calibration curves ``[B]`` of one method, mean over seeds, and the mean distances to the diagonal."""

    name: str
    line: Line
    raw: Sequence[Reliability]
    isotonic: Sequence[Reliability]

    @property
    def label(self) -> str:
        raw, calibrated = (
            float(np.mean([curve.expected_error for curve in curves])) for curves in (self.raw, self.isotonic)
        )
        return f"{self.name}  {raw:.4f} ({calibrated:.4f})"


def draw_reliability(outcome: Outcome, output: Output, signal: int = 1) -> Drawing:
    """The share of the class against its predicted probability, of test events.

    A loss that says how a probability is told from its scores is asked; else it is the softmax. The isotonic calibration is
    fitted to validation events.

    Raises:
        Undrawable: no method has the score.
    """
    curves, left_out = each_drawable(partial(_curve, output, signal), outcome.shown)
    figure, (axes,) = canvas()
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1.0)
    for curve in curves:
        mean, spread = across_seeds([each.observed for each in curve.raw])
        statistical, _ = across_seeds([each.error for each in curve.raw])
        at, _ = across_seeds([each.predicted for each in curve.raw])
        style: dict[str, Any] = {"marker": "o", "markersize": 4.5, "linewidth": 1.6, **curve.line.arguments}
        axes.errorbar(at, mean, np.hypot(spread, statistical), label=curve.label, elinewidth=1.0, **style)
    axes.set(xlim=(0, 1), ylim=(0, 1.35))
    words = {
        "x": f"Predicted probability of {output.target} = {signal}",
        "y": f"Share of {output.target} = {signal}",
    }
    dress(axes, left=outcome.name, right="test events", legend=_LEGEND, **words)
    return Drawing(figure=figure, numbers=long_table([_rows(c) for c in curves]), left_out=left_out)


def _curve(output: Output, signal: int, method: Method) -> _Curve:
    raw, isotonic = [], []
    for trial in method.trials:
        predicted = partial(_probability, trial, output, signal)
        valid, test = (
            labelled_scores(trial, split, output, signal, predicted) for split in ("validation", "test")
        )
        fitted = Isotonic.fit(*valid)
        raw.append(reliability(*test, edges=EDGES))
        isotonic.append(reliability(*Sample(fitted.apply(test.score), test.label, test.weight), edges=EDGES))
    return _Curve(name=method.name, line=line(method.number), raw=raw, isotonic=isotonic)


def _probability(trial: StoredTrial, output: Output, signal: int, values: Array) -> Array:
    """As the loss tells it, whose settings are in the trial's spec; else the softmax."""
    loss = _loss(trial, output)
    if loss is None or not isinstance(loss, HasProbability):
        return softmax(values, signal)
    told = loss.probability(torch.from_numpy(values))
    if told.ndim == 2:
        return np.asarray(told[:, signal])
    return np.asarray(told if signal == 1 else 1.0 - told)


def _loss(trial: StoredTrial, output: Output) -> Loss | None:
    terms = [
        term
        for task in read_yaml(trial.folder / "spec.yaml").get("tasks", {}).values()
        if task["output"] == output.name and "loss" in task
        for term in (task["loss"] if isinstance(task["loss"], list) else [task["loss"]])
    ]
    try:
        return plain_loss(LossTerm(**terms[0])) if terms else None
    except LookupError:  # a loss of an analysis that is not here
        return None


def _rows(curve: _Curve) -> dict[str, ArrayLike]:
    found: dict[str, ArrayLike] = {"method": curve.name, "low": EDGES[:-1], "high": EDGES[1:]}
    for name, curves in (("", curve.raw), ("isotonic_", curve.isotonic)):
        found |= {
            f"{name}{field}": across_seeds([getattr(each, field) for each in curves])[0]
            for field in ("predicted", "observed", "error", "share")
        }
    return found
