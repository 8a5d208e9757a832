"""Drivers of a few lines: they judge by a function in place of a training."""

import pytest

from tsunagu.search import Paths, Space
from tsunagu.spec import choice


@pytest.fixture
def run():
    """Search to the end; ``answer`` gives the loss of an architecture, or the gradients by mixture weights."""

    def searched(searcher, space, answer, seed=1):
        state = searcher.init(space, seed)
        while not searcher.done(state):
            asked = searcher.ask(state)
            told = (
                [answer(a) for a in asked.architectures]
                if isinstance(asked, Paths)
                else answer(asked.weights)
            )
            state = searcher.tell(state, asked, told)
        return state

    return searched


@pytest.fixture
def grid_of():
    """A space of independent choices with so many options each: ``c0``, ``c1``, ... with options ``0``, ``1``, ..."""

    def made(*numbers):
        return Space({f"c{i}": choice(*range(number)) for i, number in enumerate(numbers)})

    return made


@pytest.fixture
def nested():
    """A choice inside an option, and one name in two places."""
    width = choice(8, 16, name="width")
    return Space(
        {
            "model": choice(cnn={"kernel": choice(3, 5, 7), "w": width}, mlp={"w": width}, scale=0),
            "lr": choice(1, 2),
        }
    )
