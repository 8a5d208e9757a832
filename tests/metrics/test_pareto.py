"""Fronts and volumes against counting, and what must hold of them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.metrics import hypervolume, pareto_front


@st.composite
def grids(draw, most=6, side=5):
    """Points with whole coordinates, so that a volume can be counted."""
    costs = draw(st.integers(1, 3))
    point = st.tuples(*[st.integers(0, side)] * costs)
    return np.array(draw(st.lists(point, min_size=0, max_size=most)), float).reshape(-1, costs), side


def _counted(points, side):
    cells = itertools.product(range(side), repeat=points.shape[1])
    return sum(any((np.array(cell) >= point).all() for point in points) for cell in cells)


@settings(deadline=None)
@given(grid=grids())
def test_the_volume_is_what_can_be_counted(grid):
    points, side = grid
    assert hypervolume(points, [float(side)] * points.shape[1]) == pytest.approx(_counted(points, side))


@settings(deadline=None)
@given(grid=grids())
def test_the_front_has_the_whole_volume_and_no_point_too_many(grid):
    points, side = grid
    corner = [float(side + 1)] * points.shape[1]
    on = pareto_front(points)
    assert hypervolume(points[on], corner) == pytest.approx(hypervolume(points, corner))
    for place in np.flatnonzero(on):
        kept = on & ~(points == points[place]).all(1)
        assert hypervolume(points[kept], corner) < hypervolume(points[on], corner)


def test_known_volumes():
    angle = np.linspace(0.0, math.pi / 2, 2001)
    circle = 1.0 - np.stack([np.cos(angle), np.sin(angle)], 1)
    assert hypervolume(circle, [1.0, 1.0]) == pytest.approx(math.pi / 4, abs=1e-3)
    assert hypervolume([[0.0, 0.0], [2.0, -1.0]], [1.0, 1.0]) == 1.0
    assert hypervolume(np.empty((0, 2)), [1.0, 1.0]) == 0.0


def test_equal_points_are_on_the_front_together_and_a_nan_on_none():
    assert pareto_front([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0], [math.nan, 0.0]]).tolist() == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("costs", "reference"), [([[1.0, 2.0]], [1.0]), ([[1.0] * 4], [1.0] * 4), ([1.0, 2.0], [3.0])]
)
def test_other_shapes_are_refused(costs, reference):
    with pytest.raises(ValueError, match="expected, found"):
        hypervolume(costs, reference)
