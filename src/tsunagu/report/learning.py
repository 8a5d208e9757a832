"""The learning curves of one method: training and validation loss of every stage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from tsunagu.errors import DataError
from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.stored import Array, StoredTrial, Undrawable
from tsunagu.report.style import PALETTE, SIZE, Drawing, canvas, dress, long_table

__all__ = ["StageHistory", "draw_learning", "stage_histories"]


@final
@dataclass(frozen=True, kw_only=True)
class StageHistory:
    """The losses of one trial in one stage, each ``[epochs]``."""

    stage: str
    seed: int
    fold: str
    epoch: Array
    train_loss: Array
    valid_loss: Array


def stage_histories(trial: StoredTrial) -> list[StageHistory]:
    """The history of a trial by stage, in the order of training.

    Raises:
        ResumeError: ``history.csv`` is missing or damaged.
        DataError: it holds something that is not a number.
    """
    names = list(dict.fromkeys(row["stage"] for row in trial.history))
    return [
        StageHistory(
            stage=name,
            seed=trial.seed,
            fold=trial.fold,
            **{column: _numbers(trial, name, column) for column in ("epoch", "train_loss", "valid_loss")},
        )
        for name in names
    ]


def _numbers(trial: StoredTrial, stage: str, column: str) -> Array:
    cells = [row[column] for row in trial.history if row["stage"] == stage]
    try:
        return np.array([float(cell or "nan") for cell in cells], np.float64)
    except ValueError as error:
        msg = f"{trial.folder / 'history.csv'}: column {column}: {error}; remove the trial's folder and run again"
        raise DataError(msg) from error


def draw_learning(outcome: Outcome, method: Method) -> Drawing:
    """A panel a stage; seeds as thin lines, their mean as a thick one while all of them train.

    Raises:
        Undrawable: there is no stage.
    """
    histories = [history for trial in method.trials for history in stage_histories(trial)]
    if not histories:
        msg = f"{method.name}: nothing of it learns"
        raise Undrawable(msg)
    stages = list(dict.fromkeys(history.stage for history in histories))
    columns = min(len(stages), 3)
    rows = math.ceil(len(stages) / columns)
    size = (SIZE[0] * (1 + 0.55 * (columns - 1)), SIZE[1] * (1 + 0.8 * (rows - 1)))
    figure, panels = canvas(rows, columns, size=size)
    for axes, stage in zip(panels, stages, strict=False):
        _plot(axes, [history for history in histories if history.stage == stage])
        first = axes is panels[0]
        heading = {"left": outcome.name if first else "", "right": stage}
        legend = {"title": method.name, "loc": "best"} if first else None
        dress(axes, x="Epoch", y="Loss", **heading, legend=legend)
    for axes in panels[len(stages) :]:
        axes.set_axis_off()
    numbers = long_table([_rows(history) for history in histories])
    return Drawing(figure=figure, numbers=numbers, kind="learning", about=method.name)


def _plot(axes: Axes, histories: Sequence[StageHistory]) -> None:
    looks: tuple[tuple[str, str, str, Any], ...] = (
        ("train_loss", "training", PALETTE[0], (0, (4, 1.3))),
        ("valid_loss", "validation", PALETTE[1], "-"),
    )
    for column, name, color, dashes in looks:
        losses = [getattr(history, column) for history in histories]
        if len(losses) > 1:
            for history, loss in zip(histories, losses, strict=True):
                axes.plot(history.epoch, loss, color=color, linestyle=dashes, linewidth=0.8, alpha=0.45)
        common = min(len(loss) for loss in losses)
        mean = np.mean([loss[:common] for loss in losses], axis=0)
        style: dict[str, Any] = {
            "color": color,
            "linestyle": dashes,
            "linewidth": 2.2,
            "marker": "o",
            "markersize": 3.5,
        }
        axes.plot(histories[0].epoch[:common], mean, label=name, **style)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.xaxis.minorticks_off()
    axes.margins(x=0.03, y=0.12)


def _rows(history: StageHistory) -> dict[str, ArrayLike]:
    return {
        "stage": history.stage,
        "seed": history.seed,
        **({"fold": history.fold} if history.fold else {}),
        "epoch": history.epoch.astype(int),
        "train_loss": history.train_loss,
        "valid_loss": history.valid_loss,
    }
