"""The figure of pulls, on a fit made by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tsunagu.analysis import Fit, Parameter
from tsunagu.report import draw_pulls


def _parameter(name, value, error, width):
    pull = value / width if width else float("nan")
    return Parameter(
        name=name, value=value, error=error, pull=pull, constraint=error / width if width else pull
    )


def test_pulls_leave_out_the_statistics_of_bins():
    parameters = (
        _parameter("mu", 1.2, 0.5, None),
        _parameter("scale", 0.5, 0.7, 1.0),
        _parameter("statistics[0]", 1.1, 0.1, 0.1),
    )
    found = Fit(parameters=parameters, correlation=np.eye(3), names=tuple(each.name for each in parameters))
    drawing = draw_pulls(SimpleNamespace(name="a study"), found)
    assert drawing.numbers["name"].tolist() == ["mu", "scale"]
    assert drawing.numbers["pull"][1] == 0.5
    assert drawing.numbers["constraint"][1] == 0.7
    texts = [text.get_text() for axes in drawing.figure.axes for text in axes.texts] + [
        axes.get_title(loc="right") for axes in drawing.figure.axes
    ]
    assert any("μ = 1.20 ± 0.50" in text for text in texts), texts
