"""Selecting by disturbing the mixture."""

import pytest
import torch

from tsunagu.search import Space, select_by_perturbation
from tsunagu.spec import choice


@pytest.fixture
def space():
    return Space({"a": choice("x", "y", "z"), "b": choice("u", "v")})


def _weights(space):
    return {label: torch.full((len(o),), 1.0 / len(o)) for label, o in space.options.items()}


def test_the_option_that_is_missed_most_is_kept(space):
    need = {"a": torch.tensor([0.1, 0.2, 3.0]), "b": torch.tensor([1.0, 0.0])}

    def evaluate(weights):
        return -float(sum(weights[n] @ need[n] for n in need))

    assert dict(select_by_perturbation(space, _weights(space), evaluate)) == {"a": "z", "b": "u"}


def test_decisions_are_fixed_before_the_next_and_then_trained(space):
    seen = []
    select_by_perturbation(
        space,
        _weights(space),
        lambda w: -float(w["a"][0]),
        settle=lambda w: seen.append({n: t.tolist() for n, t in w.items()}),
    )
    assert seen == [
        {"a": [1.0, 0.0, 0.0], "b": [0.5, 0.5]},
        {"a": [1.0, 0.0, 0.0], "b": [1.0, 0.0]},
    ]


def test_choices_that_closed_are_not_asked():
    space = Space({"m": choice(big=choice(1, 2, name="inner"), small=0)})
    weights = {"m": torch.tensor([0.5, 0.5]), "inner": torch.tensor([0.5, 0.5])}
    found = select_by_perturbation(space, weights, lambda w: -float(w["m"][1]))
    assert dict(found) == {"m": "small"}


def test_another_word_is_refused(space):
    with pytest.raises(ValueError, match="removal or alone, found 'size'"):
        select_by_perturbation(space, _weights(space), lambda _: 0.0, by="size")
