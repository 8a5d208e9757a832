"""The score distributions of signal and background, test events against validation events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.report.numbers import across_seeds, effective_entries, histogram
from tsunagu.report.outcome import Method, Outcome, Output
from tsunagu.report.stored import Array, StoredTrial, Undrawable
from tsunagu.report.style import BACKGROUND, SIGNAL, Drawing, canvas, dress, long_table

__all__ = ["Sample", "classes", "draw_scores", "labelled_scores", "probability"]


class Sample(NamedTuple):
    """Scores, labels (1 for signal, 0 for background) and weights, each ``[E]``."""

    score: Array
    label: Array
    weight: Array


class _Shares(NamedTuple):
    fraction: Array
    error: Array
    spread: Array


def classes(outcome: Outcome, output: Output) -> list[int]:
    """The classes that are drawn as signal: 1 alone of two, each in turn of more."""
    for method in outcome.shown:
        values = method.trials[0].predictions.columns.get(f"test_{output.name}")
        if values is not None and values.ndim == 2 and values.shape[1] > 2:
            return list(range(values.shape[1]))
    return [1]


def probability(values: Array, signal: int = 1) -> Array:
    """The predicted probability of the signal class: the softmax of the logits.

    Args:
        values: logits ``[E]`` or ``[E, 1]`` of two classes, or ``[E, C]`` of C classes.
        signal: which class is the signal.

    Returns:
        ``[E]`` in 0..1.

    >>> probability(np.array([0.0, 30.0])).round(6).tolist(), probability(np.zeros((1, 4)), 2).tolist()
    ([0.5, 1.0], [0.25])
    """
    single = values.ndim == 1 or values.shape[1] == 1
    logits = np.stack([np.zeros(len(values)), values.reshape(len(values))], axis=1) if single else values
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Array = exponentials[:, signal] / exponentials.sum(axis=1)
    return shares


def labelled_scores(
    trial: StoredTrial, split: str, output: Output, signal: int, told: Callable[[Array], Array] | None = None
) -> Sample:
    """The probabilities of one class, with the labels and the weights.

    Args:
        trial: with predictions.
        split: validation or test.
        output: a score.
        signal: the class.
        told: gives the probability of the class; by default the softmax.

    Raises:
        Undrawable: a column is missing, a score is not finite, or one class has no event.
    """
    values, target, weight = trial.predictions.take(split, output.name, output.target, "weight")
    label = (np.rint(target.reshape(len(target), -1)[:, 0]) == signal).astype(np.float64)
    if not np.isfinite(values).all():
        msg = f"{split}_{output.name} of {trial.place} is not finite everywhere"
        raise Undrawable(msg)
    if len(np.unique(label)) < 2:
        msg = f"the {split} events of {trial.place} are all of one class of {output.target}"
        raise Undrawable(msg)
    return Sample(told(values) if told else probability(values, signal), label, weight)


def draw_scores(outcome: Outcome, output: Output, method: Method, signal: int = 1) -> Drawing:
    """Score distributions, mean over seeds: test events as areas, validation events as points.

    Raises:
        Undrawable: a column is missing.
    """
    figure, (axes,) = canvas()
    parts: list[dict[str, ArrayLike]] = []
    edges = _edges(method.trials[0])
    centres = (edges[1:] + edges[:-1]) / 2
    for label, name, color, marker in ((0, "background", BACKGROUND, "s"), (1, "signal", SIGNAL, "o")):
        test, validation = (
            _shares(method, split, output, signal, label, edges) for split in ("test", "validation")
        )
        axes.stairs(test.fraction, edges, fill=True, facecolor=(color, 0.2), linewidth=0)
        dashes = "-" if label else (0, (4, 1.2))
        axes.stairs(test.fraction, edges, color=color, linewidth=1.8, linestyle=dashes, label=f"{name}, test")
        points: dict[str, Any] = {
            "fmt": marker,
            "markerfacecolor": "white",
            "markersize": 4.5,
            "linewidth": 1.2,
        }
        axes.errorbar(
            centres,
            _or_nothing(validation.fraction),
            validation.error,
            color=color,
            label=f"{name}, validation",
            **points,
        )
        parts += [_rows("test", name, test, edges), _rows("validation", name, validation, edges)]
    axes.set(xlim=(0, 1), ylim=(0, 1.3 * axes.dataLim.ymax))
    right = (
        f"{method.name}, mean of {len(method.trials)} {method.unit}"
        if len(method.trials) > 1
        else method.name
    )
    x = f"Predicted probability of {output.target} = {signal}"
    dress(axes, x=x, y=f"Fraction of events / {edges[1]:g}", left=outcome.name, right=right, legend=_LEGEND)
    return Drawing(figure=figure, numbers=long_table(parts))


_LEGEND: Mapping[str, object] = {"loc": "upper center", "ncols": 2}


def _edges(trial: StoredTrial) -> Array:
    entries = effective_entries(trial.predictions.take("test", "weight")[0])
    return np.linspace(0.0, 1.0, 41 if entries > 4000 else 21)


def _or_nothing(fraction: Array) -> Array:
    return np.where(fraction == 0, np.nan, fraction)  # a row of points on the axis tells nothing


def _shares(method: Method, split: str, output: Output, signal: int, label: int, edges: Array) -> _Shares:
    filled = []
    for trial in method.trials:
        sample = labelled_scores(trial, split, output, signal)
        chosen = sample.label == label
        filled.append(histogram(sample.score[chosen], sample.weight[chosen], edges))
    fraction, spread = across_seeds([share for share, _ in filled])
    # The seeds share their events, so their mean has the statistical error of one of them.
    return _Shares(fraction, across_seeds([error for _, error in filled])[0], spread)


def _rows(split: str, name: str, shares: _Shares, edges: Array) -> dict[str, ArrayLike]:
    return {
        "split": split,
        "class": name,
        "low": edges[:-1],
        "high": edges[1:],
        "fraction": shares.fraction,
        "statistical_error": shares.error,
        "spread_over_seeds": shares.spread,
    }
