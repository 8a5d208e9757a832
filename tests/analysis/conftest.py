"""Events with a score, without any training."""

from __future__ import annotations

import numpy as np
import pytest


def made_up(events=4000, seed=3, signal=0.05, negative=0.0):
    """Scores, whether signal, weights (a fifth of them may be negative) and folds; the score of signal is larger."""
    draw = np.random.default_rng(seed)
    own = draw.integers(0, 2, events).astype(bool)
    weight = np.where(own, signal, 1.0) * np.where(draw.random(events) < negative, -0.5, 1.0)
    return draw.normal(1.6 * own, 1.0), own, weight, draw.integers(0, 5, events)


@pytest.fixture(scope="session")
def scored():
    return made_up
