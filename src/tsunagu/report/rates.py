"""The accuracy of each class and of all events, trial by trial, from the stored predictions of the test events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np

from tsunagu.metrics import accuracy, efficiency
from tsunagu.report.outcome import Method, Outcome, Output
from tsunagu.report.stored import Array, StoredTrial, Undrawable

__all__ = ["Quantity", "rates"]


@final
@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number that every trial has.

    Args:
        name: for a legend.
        short: for a table of numbers.
        of: its values ``[S]`` for the trials of a method; raises :class:`~tsunagu.report.stored.Undrawable`.
    """

    name: str
    short: str
    of: Callable[[Method], Array]


def rates(outcome: Outcome, output: Output) -> list[Quantity]:
    """The share of each class that is given this class, the largest class first, and that of all events.

    The largest logit wins. Classes are named by their share of the weight of the test events.

    Raises:
        Undrawable: the predictions are not there, or are of several objects in an event.
    """
    _, target, weight = _events(outcome.methods[0].trials[0], output)
    classes = np.unique(np.rint(target)).astype(int).tolist()
    shares = {c: float(weight[np.rint(target) == c].sum() / weight.sum()) for c in classes}
    largest = sorted(classes, key=lambda c: -shares[c])
    named = {c: f"{output.target} = {c} ({shares[c]:.0%})" for c in classes}
    named[largest[0]] = f"major class, {named[largest[0]]}"
    named[largest[-1]] = f"minor class, {named[largest[-1]]}"
    own = [
        Quantity(name=named[c], short=f"accuracy_{c}", of=partial(_of_class, output=output, class_=c))
        for c in largest
    ]
    return [*own, Quantity(name="all events", short="accuracy", of=partial(_of_all, output=output))]


def _of_class(method: Method, output: Output, class_: int) -> Array:
    return np.array([efficiency(*_events(trial, output), class_=class_) for trial in method.trials])


def _of_all(method: Method, output: Output) -> Array:
    return np.array([accuracy(*_events(trial, output)) for trial in method.trials])


def _events(trial: StoredTrial, output: Output) -> tuple[Array, Array, Array]:
    prediction, target, weight = trial.predictions.take("test", output.name, output.target, "weight")
    if target.ndim > 1:
        msg = f"{output.target} of {trial.place} is of several objects in an event"
        raise Undrawable(msg)
    return prediction, target, weight
