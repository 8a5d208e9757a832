"""The looks: colours that can be told apart, and nothing of matplotlib's global state."""

from __future__ import annotations

import sys

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from tsunagu.report.style import PALETTE, Drawing, canvas, dress, line, save


def test_methods_differ_in_colour_or_dashes_far_beyond_what_is_drawn():
    looks = [line(number) for number in range(35)]
    assert len({(look.color, str(look.dashes)) for look in looks}) == 35
    assert len({look.color for look in looks[:7]}) == 7


def test_every_colour_is_dark_enough_on_white():
    for color in PALETTE:
        red, green, blue = to_rgb(color)
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.75


def test_no_pyplot_figure_is_open(figures):
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_dollars_in_a_name_are_no_formula(tmp_path):
    figure, (axes,) = canvas()
    axes.plot([0, 1], [0, 1], label="a$_{b")
    dress(axes, left="cost: 5$ or {", right="$", legend={})
    assert len(save(Drawing(figure=figure), tmp_path / "dollars")) == 2


def test_no_text_leaves_the_figure():
    figure, (axes,) = canvas()
    axes.plot([0, 1], [0, 1e4], label="a rather long name of a method " * 2)
    dress(axes, x="Horizontal [GeV]", y="Vertical / 0.5 GeV", left="study", right="test", legend={})
    figure.draw_without_rendering()
    frame = figure.bbox
    for text in figure.findobj(Text):
        box = text.get_window_extent()
        if text.get_text() and text.get_visible() and np.isfinite(box.extents).all() and text.axes is axes:
            assert box.x0 > frame.x0 - 1
            assert box.x1 < frame.x1 + 1
