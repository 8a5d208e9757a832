"""Formulas: what may stand in them, and where a mistake is."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.errors import DataError
from tsunagu.spec.formulas import FUNCTIONS, is_formula, parse_formula


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("jet_pt > 20 and abs(jet_eta) < 2.5", ["jet_pt", "jet_eta"]),
        ("max(a, b, 3) ** -2", ["a", "b"]),
        ("Jet.pt[0] / `jet-eta 2`", ["Jet.pt", "jet-eta 2"]),
        ("0 < x <= y != 3", ["x", "y"]),
        ("not (flags & 4) | ~ok", ["flags", "ok"]),
        ("weight\n * 2", ["weight"]),
        ("Δφ + é", ["Δφ", "é"]),
    ],
)
def test_the_columns_of_a_formula(text, names):
    assert list(parse_formula(text).names) == names


@pytest.mark.parametrize(
    ("text", "position", "found"),
    [
        ("pt > 20 andd eta < 2", 9, "cannot be read"),
        ("  pt + sqr(eta)", 8, "unknown function 'sqr' (did you mean 'sqrt'?)"),
        ("é + sqr(eta)", 5, "unknown function 'sqr'"),
        ("`a b` + sqr(eta)", 9, "unknown function 'sqr'"),
        ("pt + abs", 6, "'abs' is a function and needs arguments; a column is written `abs`"),
        ("pt + abs(1, 2)", 6, "abs takes 1 argument, found abs(1, 2)"),
        ("__import__('os')", 1, "unknown function '__import__'"),
        ("(lambda: pt)()", 1, "unknown function"),
        ("pt.real.imag()", 1, "unknown function"),
        ("(pt + 1).real", 1, "a '.' can stand only in the name of a column"),
        ("[x for x in pt]", 1, "a Python ListComp cannot stand in a formula"),
        ("abs(*pt)", 5, "a Python Starred cannot stand"),
        ("abs(pt, out=pt)", 1, "abs takes 1 argument"),
        ("pt if eta else 2", 1, "write where(condition, a, b)"),
        ("pt is eta", 1, "write =="),
        ("pt + 'a'", 6, "'a' is no number"),
        ("pt + 1j", 6, "1j is no number"),
        ("pt + None", 6, "None is no number"),
        ("pt[eta]", 1, "an entry is a whole number"),
        ("pt[0:2]", 1, "an entry is a whole number"),
        (f"pt + {2**63}", 6, "a whole number beyond 64 bits"),
        ("1 + 2", 1, "at least one column"),
        ("", 1, "cannot be read"),
        ("-" * 500 + "pt", 1, "nested too deeply"),
        ("pt+" * 1000 + "pt", 2000, "at most 2000 letters"),
        ("\0pt", 1, "cannot be read"),
    ],
)
def test_what_is_refused_and_where(text, position, found):
    with pytest.raises(DataError) as error:
        parse_formula(text)
    assert str(error.value).startswith(f"at position {position} of ")
    assert found in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"), [("pt", False), ("Jet.pt", False), ("pt + 1", True), ("a-b", True), ("2x", True)]
)
def test_what_is_a_name(text, expected):
    assert is_formula(text) is expected
    assert not is_formula(text, [text])


PIECES = st.sampled_from(
    ["pt", "`x y`", "1", "2.5", "(", ")", "[0]", "+", "-", "**", "<", "and", "not", ",", ".", "'", "\n"]
)


@given(
    st.lists(PIECES | st.sampled_from(sorted(FUNCTIONS)), max_size=12).map(" ".join) | st.text(max_size=30)
)
def test_any_text_is_a_formula_or_our_error(text):
    with suppress(DataError):
        assert parse_formula(text).names
