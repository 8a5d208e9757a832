"""Searchers by name."""

import pytest

from tsunagu.errors import SpecError
from tsunagu.search import (
    Asng,
    Evolution,
    Spos,
    check_searcher,
    known_searchers,
    make_searcher,
    register_searcher,
)
from tsunagu.spec import node


@pytest.mark.parametrize("key", known_searchers())
def test_every_searcher_has_defaults_and_a_source(key):
    made = make_searcher(node(key))
    assert type(made).__name__ == key
    assert made == make_searcher(node(key))


def test_settings_come_from_the_node():
    assert make_searcher(node("Asng", delta0=0.3, floor=0.05)) == Asng(delta0=0.3, floor=0.05)
    assert make_searcher(node("Spos", fair=True, evolution={"population": 8})) == Spos(
        fair=True, evolution=Evolution(population=8)
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (node("Sopos"), "search.key: unknown searcher 'Sopos' (did you mean 'Spos'?)"),
        (node("Darts", ordre=2), "search.args: unknown argument 'ordre' (did you mean 'order'?)"),
        (node("Darts", order=3), "search.args: order must be 1 or 2, found 3"),
        (
            node("Darts", selection="best"),
            "search.args: selection must be argmax, perturbation or alone, found 'best'",
        ),
        (
            node("Asng", floor="low"),
            "search.args: floor must be repaired, published or a number, found 'low'",
        ),
        (node("Asng", samples=1), "search.args: samples must be 2 or more, to compare them; found 1"),
        (node("Halving", factor=1), "search.args: factor must be 2 or more, found 1"),
        (node("Evolution", probability=1.5), "search.args: probability must be from 0 to 1, found 1.5"),
        (node("Enas", memory=1.0), "search.args: memory must be 0 or more and below 1, found 1.0"),
        (node("Gdas", cold=0), "search.args: cold must be positive, found 0"),
        (node("Spos", evolution={"top": 0}), "search.args: evolution: top must be 1 or more, found 0"),
    ],
)
def test_mistakes_have_their_place_and_say_what_would_be_right(spec, message):
    assert [str(mistake) for mistake in check_searcher(spec)] == [message]
    with pytest.raises(SpecError):
        make_searcher(spec)


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="the searcher key 'Asng' is taken by tsunagu"):
        register_searcher(type("Asng", (), {}))
