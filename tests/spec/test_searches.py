"""A search in a study file: a key or a mapping, the same in Python, and in methods and variations."""

from __future__ import annotations

import pytest

from tsunagu.errors import SpecError
from tsunagu.spec import (
    Search,
    choice,
    dump_yaml,
    node,
    schema,
    some_architectures,
    validate_study,
    variations,
)

TASK = {"inputs": ["x"], "output": "y", "model": "ReLU", "loss": {"key": "mse", "target": "t"}}
DATA = {"data": {"files": "a.npz"}, "tasks": {"fit": TASK | {"model": node("ReLU")}}, "metric": "mse(y, t)"}


def _study(**fields):
    study, mistakes = validate_study(DATA | fields)
    if study is None:
        raise SpecError(mistakes)
    return study


@pytest.mark.parametrize(
    "said",
    [
        {"key": "Asng", "args": {"delta0": 0.3}},
        node("Asng", delta0=0.3),
        Search(key="Asng", args={"delta0": 0.3}),
    ],
    ids=["mapping", "node", "search"],
)
def test_a_search_is_said_in_several_ways(said):
    study = _study(search=said)
    assert study.search == Search(key="Asng", args={"delta0": 0.3})
    assert study.search.searcher == node("Asng", delta0=0.3)


def test_a_key_is_enough_and_nothing_is_no_search():
    assert _study(search="Spos").search == Search(key="Spos")
    assert _study().search is None


def test_it_is_written_and_read_again(tmp_path):
    from tsunagu.spec import load_study

    study = _study(search=Search(key="Asng", args={"delta0": 0.3}, epochs=4, start="inherit"))
    path = tmp_path / "study.yaml"
    path.write_text(dump_yaml(study), encoding="utf-8")
    assert load_study(path).study == study
    assert load_study(path, ["search.epochs=5", "search.start=scratch"]).study.search.epochs == 5
    assert load_study(path, ["search=Spos"]).study.search == Search(key="Spos")


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ({"key": "Asng", "start": "warm"}, "search.start: expected scratch or inherit, found 'warm'"),
        ({"key": "Asng", "epochs": 0}, "search.epochs: must be at least 1, found 0"),
        ({"key": "Asng", "arg": {}}, r"search.arg: there is no such setting \(did you mean 'args'\?\)"),
        ({"args": {}}, "search.key: is missing"),
        (7, "search: expected a mapping, found 7"),
    ],
)
def test_what_is_wrong_with_it_is_named(said, mistake):
    with pytest.raises(SpecError, match=mistake):
        _study(search=said)


def test_methods_and_variations_may_set_it():
    methods = {
        "spos": {"search": "Spos"},
        "asng": {"search": {"key": "Asng", "epochs": 3}},
        "no": {"search": None},
    }
    found = [varied.search for _, varied in variations(_study(search="Darts", methods=methods))]
    assert found == [Search(key="Spos"), Search(key="Asng", epochs=3), None]
    steps = {"search.args.delta0": {"short": 0.1, "long": 0.3}}
    found = [varied.search.args for _, varied in variations(_study(search="Asng", vary=steps))]
    assert found == [{"delta0": 0.1}, {"delta0": 0.3}]


def test_a_mistake_in_a_method_stands_in_the_method():
    with pytest.raises(SpecError, match=r"methods.asng.search.epochs: must be at least 1, found 0"):
        variations(_study(methods={"asng": {"search": {"key": "Asng", "epochs": 0}}}))


def test_the_schema_knows_it():
    made = schema()
    assert {"type": "string"} in made["properties"]["search"]["anyOf"][0]["anyOf"]
    inner = made["$defs"]["Search"]["properties"]
    assert inner["start"]["anyOf"][0]["enum"] == ["scratch", "inherit"]
    assert "searcher" in inner["key"]["description"]


def test_some_architectures_show_every_option_and_are_all_of_a_small_space():
    space = {
        "a": choice(1, 2, 3),
        "b": choice(x=choice(1, 2, name="n"), y=choice(3, 4)),
        "c": choice(1, 2, name="n"),
    }
    every, few = list(some_architectures(space)), list(some_architectures(space, 3))
    assert len(set(every)) == len(every) == 3 * (2 + 2 * 2)
    assert len(few) < len(every)
    assert set(few) <= set(every)
    assert {pair for each in few for pair in each.items()} == {
        pair for each in every for pair in each.items()
    }
