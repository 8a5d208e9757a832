"""The parts of the natural-gradient step."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.search.natural import restrict, utilities, whitened

sizes = st.lists(st.integers(2, 5), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("losses", "worth"),
    [
        ([0.3, 0.1, 0.6, 0.2, 0.5, 0.4], [0, 0.5, -0.5, 0.5, -0.5, 0]),
        ([0.3, 0.9], [1, -1]),
        ([0.3, 0.3], [0, 0]),
        ([0.0, 0.0], [0, 0]),
        ([-2.0, -2.0], [0, 0]),
        ([-2.0, -2.0, -1.0], [0.5, 0.5, -1]),
        ([math.inf, math.inf], [0, 0]),
        ([1.0, math.inf], [1, -1]),
        ([1.0, 1.0 + 1e-13], [0, 0]),
        ([1.0, 1.0 + 1e-11], [1, -1]),
        ([1, 1, 2, 2, 2], [0.5, 0.5, -1 / 3, -1 / 3, -1 / 3]),
    ],
)
def test_utilities(losses, worth):
    assert utilities(losses, 1e-12) == pytest.approx(worth)


def _state(sizes, seed):
    draw = np.random.default_rng(seed)
    mask = np.arange(max(sizes)) < np.array(sizes)[:, None]
    theta = np.where(mask, draw.random(mask.shape) + 0.01, 0.0)
    theta /= theta.sum(axis=1, keepdims=True)
    gradient = np.where(mask, draw.normal(size=mask.shape), 0.0)
    gradient -= np.where(mask, gradient.sum(axis=1, keepdims=True) / np.array(sizes)[:, None], 0.0)
    return theta, gradient, mask


@given(sizes, st.integers(0, 1000))
def test_whitening_is_as_long_as_the_papers(sizes, seed):
    theta, gradient, mask = _state(sizes, seed)
    published = []
    for row, size in enumerate(sizes):  # the paper's formula, without the last option
        t, g = theta[row, :size], gradient[row, :size]
        rest = g[:-1].sum() / (t[-1] + math.sqrt(t[-1]))
        published += [g[j] / math.sqrt(t[j]) + math.sqrt(t[j]) * rest for j in range(size - 1)]
    white = whitened(gradient, theta, mask)
    assert np.linalg.norm(white) == pytest.approx(np.linalg.norm(published))
    assert (white[~mask] == 0.0).all()


@given(sizes, st.integers(0, 1000), st.floats(0.0, 1.0))
def test_restricted_probabilities_are_above_the_floor_and_add_up(sizes, seed, share):
    theta, gradient, mask = _state(sizes, seed)
    floor = share / np.array(sizes)
    held = restrict(theta + gradient, floor, mask)
    assert held.sum(axis=1) == pytest.approx(1.0)
    assert (held >= np.where(mask, floor[:, None], 0.0) - 1e-12).all()
    assert (held[~mask] == 0.0).all()
