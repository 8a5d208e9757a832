"""Spaces: drawing, changing and checking architectures."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from tsunagu.errors import ChoiceError
from tsunagu.search import Space
from tsunagu.spec import Architecture, choice


@pytest.fixture
def generator():
    return np.random.default_rng(3)


def test_labels_and_options_are_those_of_the_spec(nested):
    assert nested.options == {
        "model": ("cnn", "mlp", "scale"),
        "model.cnn.kernel": ("3", "5", "7"),
        "width": ("8", "16"),
        "lr": ("1", "2"),
    }
    assert nested.count == len(set(nested.all())) == 2 * (3 * 2 + 2 + 1)


def test_draws_hold_the_open_labels_and_reach_every_architecture(nested, generator):
    drawn = {nested.draw(generator) for _ in range(1000)}
    assert drawn == set(nested.all())


def test_each_open_choice_is_drawn_uniformly(nested, generator):
    drawn = [nested.draw(generator) for _ in range(6000)]
    for label, options in nested.options.items():
        counts = Counter(architecture[label] for architecture in drawn if label in architecture)
        assert chisquare([counts[option] for option in options]).pvalue > 1e-3


def test_probabilities_are_drawn_from_and_zero_is_never_drawn(grid_of, generator):
    space = grid_of(3)
    counts = Counter(space.draw(generator, {"c0": [0.7, 0.0, 0.3]})["c0"] for _ in range(4000))
    assert set(counts) == {"0", "2"}
    assert chisquare([counts["0"], counts["2"]], [2800, 1200]).pvalue > 1e-3


def test_new_ones_are_new_until_none_is_left(nested, generator):
    seen = nested.draw_new(10, generator, ())
    rest = nested.draw_new(100, generator, seen)
    assert (len(seen), len(rest)) == (10, nested.count - 10)
    assert set(seen) | set(rest) == set(nested.all())


@pytest.mark.parametrize("probability", [0.0, 0.4, 1.0])
def test_a_mutation_draws_again_with_its_probability(grid_of, generator, probability):
    space = grid_of(4, 4)
    parent = next(space.all())
    changed = sum(space.mutate(parent, probability, generator)[c] != "0" for _ in range(2000) for c in parent)
    assert changed / 4000 == pytest.approx(0.75 * probability, abs=0.03)


def test_children_are_legal_and_take_from_their_parents_what_is_open(nested, generator):
    everything = list(nested.all())
    for one in everything:
        nested.check(nested.mutate(one, 0.5, generator))
        for other in everything:
            child = nested.cross(one, other, generator)
            nested.check(child)
            assert all(child[n] in {p.get(n) for p in (one, other)} for n in child if n in one or n in other)


@pytest.mark.parametrize(
    ("architecture", "match"),
    [
        ({"lr": "1"}, "model: not decided; choose one of cnn, mlp, scale"),
        ({"model": "scael", "lr": "1"}, r"model: there is no option 'scael' \(did you mean 'scale'\?\)"),
        ({"model": "scale", "lr": "1", "width": "8"}, "width: this choice is not open here"),
        (
            {"model": "scale", "lr": "1", "widht": "8"},
            r"widht: there is no such choice \(did you mean 'width'\?\)",
        ),
    ],
)
def test_what_is_not_legal_is_refused(nested, architecture, match):
    with pytest.raises(ChoiceError, match=match):
        nested.check(Architecture(architecture))


def test_a_value_without_choices_is_no_space():
    with pytest.raises(ChoiceError, match="nothing is left to choose"):
        Space({"lr": 0.1})


def test_one_name_with_two_definitions_is_refused():
    with pytest.raises(ChoiceError, match="one name, two definitions"):
        Space([choice(1, 2, name="w"), choice(1, 3, name="w")])
