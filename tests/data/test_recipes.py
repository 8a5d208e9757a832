"""Derived columns."""

import numpy as np
import pytest

from tsunagu.data import ArraySource
from tsunagu.data.recipes import build, plan_columns, recipe
from tsunagu.errors import DataError


@pytest.fixture
def jets():
    return {"pt": np.ones((4, 2)), "pt_up": np.full((4, 2), 2.0), "eta": np.zeros((4, 2)), "met": np.ones(4)}


def plan(sources, declared, needed=None, roles=()):
    return plan_columns(sources, declared, needed, roles)


def test_stacks_go_on_a_new_last_axis(jets):
    made = build(recipe("p", {"p": ["pt_up", "eta", "pt"]}), jets)
    assert made.shape == (4, 2, 3)
    assert made[0, 0].tolist() == [2.0, 0.0, 1.0]


def test_a_replaced_column_reaches_what_is_made_of_it(jets):
    made = build(recipe("p", {"p": ["pt", "eta"], "pt": "pt_up"}), jets)
    assert made[0, 0].tolist() == [2.0, 0.0]


def test_a_name_in_its_own_declaration_is_the_column_of_the_file():
    assert recipe("pt", {"pt": ["pt", "eta"]}) == ("pt", "eta")


def test_columns_made_of_each_other_are_named():
    with pytest.raises(DataError, match="columns: a <- b <- c <- a are made of each other"):
        recipe("a", {"a": "b", "b": ["c"], "c": "a"})


def test_only_what_is_needed_is_read(jets):
    got = plan([ArraySource(jets)], {"p": ["pt", "eta"], "unused": ["pt", "met_"]}, ["p"], ["met"])
    assert got.raw == ("pt", "eta", "met")
    assert list(got.recipes) == ["p", "met"]


def test_without_a_list_all_is_read(jets):
    got = plan([ArraySource(jets)], {"p": ["pt", "eta"]})
    assert set(got.recipes) == {"p", *jets}


def test_all_mistakes_at_once(jets):
    declared = {"p": ["pt", "met"], "q": "ptt", "r": "q", "a": "b", "b": "a", "empty": []}
    problems = plan([ArraySource(jets, "x.npz")], declared, ["p", "eta_"]).problems
    assert problems == (
        "columns: a <- b <- a are made of each other",
        "columns: b <- a <- b are made of each other",
        "x.npz: no column 'ptt' (did you mean 'pt'?); 'q' is made of it",
        "x.npz: no column 'eta_' (did you mean 'eta'?)",
        "x.npz: column 'p': only columns of one shape can be stacked, found pt [E, 2], met [E]",
        "x.npz: column 'empty': only columns of one shape can be stacked, found none",
    )


def test_the_file_that_lacks_a_column_is_named(jets):
    less = {name: array for name, array in jets.items() if name != "eta"}
    sources = [ArraySource(less, "a.npz"), ArraySource(jets, "b.npz"), ArraySource(less, "c.npz")]
    assert plan(sources, {}).problems == (
        "a.npz: no column 'eta', which b.npz has",
        "c.npz: no column 'eta', which b.npz has",
    )


def test_a_column_that_cannot_be_read_says_why(jets):
    source = ArraySource(jets | {"process": np.array(["Z"] * 4)}, "a.npz")
    assert plan([source], {}, ["process"]).problems == (
        "a.npz: column 'process' cannot be read: its type is <U1",
    )
    assert "process" not in plan([source], {}).recipes


def test_files_must_agree_on_shape_and_kind(jets):
    other = jets | {
        "pt": np.ones((4, 3)),
        "met": np.ones(4, dtype=int),
        "eta": np.zeros((4, 2), dtype=np.float32),
    }
    assert plan([ArraySource(jets, "a"), ArraySource(other, "b")], {}).problems == (
        "b: column 'pt' is float64 [E, 3], but float64 [E, 2] in a",
        "b: column 'met' is int64 [E], but float64 [E] in a",
    )
