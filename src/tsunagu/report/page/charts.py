"""The figures of a report as a page draws them: from the numbers that stand beside the static ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsunagu.report.outcome import Outcome
from tsunagu.report.page.encode import rounded
from tsunagu.report.style import BASELINE, DASHES, Drawing, line
from tsunagu.report.violin import LEAST, density, scattered

__all__ = ["chart", "looks"]

Columns: TypeAlias = Mapping[str, NDArray[Any]]
Chart: TypeAlias = dict[str, Any]
WIDTH = 2


def looks(outcome: Outcome) -> dict[str, Chart]:
    """Colour and dashes of every method and baseline, by name, as in all figures."""
    methods = {
        method.name: _look(line(method.number).color, line(method.number).dashes)
        for method in outcome.methods
    }
    plain = {
        method.name: _look(BASELINE, DASHES[1 + number % (len(DASHES) - 1)])
        for number, method in enumerate(outcome.baselines)
    }
    return plain | methods


def _look(color: str, dashes: Any) -> Chart:
    solid = "solid" if dashes == "-" else ",".join(f"{WIDTH * length:g}px" for length in dashes[1])
    return {"color": color, "dash": solid}


def chart(drawing: Drawing) -> Chart | None:
    """What a page needs to draw the figure again; None for a kind that it does not draw.

    Args:
        drawing: with its numbers, as ``report`` writes them beside the picture.
    """
    make = _KINDS.get(drawing.kind)
    if make is None:
        return None
    columns = {name: np.asarray(values) for name, values in drawing.numbers.items()}
    return {"kind": drawing.kind, "about": drawing.about, **make(columns)}


def _violin(columns: Columns) -> Chart:
    return {"rows": [_row(name, part) for name, part in _groups(columns, "method")]}


def _row(name: str, part: Columns) -> Chart:
    values = part["value"].astype(np.float64)
    shape = None
    if len(values) >= LEAST and np.ptp(values) > 0:
        at = np.linspace(values.min(), values.max(), 60)
        shape = {"at": rounded(at), "height": rounded(density(values, at), 3)}
    ends = [part[end].astype(np.float64)[0] for end in ("mean", "interval_low", "interval_high")]
    return {
        "name": name,
        "plain": not any(part["seed"]),
        "places": _places(part),
        "values": rounded(values),
        "across": rounded(scattered(values), 3),
        "shape": shape,
        "mean": rounded(ends[0]),
        "interval": rounded(ends[1:]) if len(values) > 2 else None,
    }


def _places(part: Columns) -> list[str]:
    folds = part.get("fold", np.full(len(part["seed"]), ""))
    pairs = zip(part["seed"].tolist(), folds.tolist(), strict=True)
    return [f"seed {seed}" + (f", {fold}" if fold else "") for seed, fold in pairs]


def _roc(columns: Columns) -> Chart:
    curves = [
        {
            "name": name,
            "efficiency": rounded(part["signal_efficiency"]),
            **{
                key: rounded(part[column], 5)
                for key, column in (("middle", "background_rejection"), ("low", "low"), ("high", "high"))
            },
            "auc": rounded(part["auc"][0]),
            "seeds": int(part["seeds"][0]),
        }
        for name, part in _groups(columns, "method")
    ]
    return {"curves": curves}


def _choices(columns: Columns) -> Chart:
    rows = [
        {"name": name, "times": part["times"].astype(int).tolist()}
        for name, part in _groups(columns, "method")
    ]
    return {"options": list(dict.fromkeys(columns["option"].tolist())), "rows": rows}


def _learning(columns: Columns) -> Chart:
    return {"stages": [{"name": name, "lines": _lines(part)} for name, part in _groups(columns, "stage")]}


def _lines(part: Columns) -> list[Chart]:
    places = np.array(_places(part))
    return [
        {
            "place": place,
            "epoch": one["epoch"].astype(int).tolist(),
            "train": rounded(one["train_loss"], 4),
            "valid": rounded(one["valid_loss"], 4),
        }
        for place, one in _groups({**part, "place": places}, "place")
    ]


def _groups(columns: Columns, key: str) -> Iterator[tuple[str, Columns]]:
    """The lines with each value of one column, in the order in which the values come."""
    for value in dict.fromkeys(columns[key].tolist()):
        chosen = columns[key] == value
        yield str(value), {name: column[chosen] for name, column in columns.items()}


_KINDS: Mapping[str, Callable[[Columns], Chart]] = {
    "violin": _violin,
    "roc": _roc,
    "choices": _choices,
    "learning": _learning,
}
