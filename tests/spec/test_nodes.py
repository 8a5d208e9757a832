from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.errors import ChoiceError
from tsunagu.spec import Choice, Node, canonical, choice, digest, dump_yaml, node, parse_value, to_data, walk
from tsunagu.spec.yaml_nodes import parse_scalar


@given(data=st.data())
def test_data_and_back_gives_the_same_value(values, data):
    value = data.draw(values)
    assert parse_value(to_data(value)) == (value, [])


@given(data=st.data())
def test_yaml_and_back_gives_the_same_value(values, data):
    value = data.draw(values)
    assert parse_value(parse_scalar(dump_yaml(value))) == (value, [])


@given(data=st.data())
def test_the_python_form_can_be_pasted_back(values, data):
    value = data.draw(values)
    again = eval(repr(value), {"node": node, "choice": choice, "Node": Node, "Choice": Choice})
    assert canonical(again) == canonical(value)


@given(data=st.data())
def test_equal_values_have_equal_digests_whatever_their_order(values, data):
    value = data.draw(st.dictionaries(st.sampled_from("abcd"), values, max_size=4))
    assert digest(dict(reversed(value.items()))) == digest(value)


@pytest.mark.parametrize(
    ("first", "second"), [(1, 1.0), (1, True), (0, False), (None, "null"), ("1", 1), ([], {})]
)
def test_values_that_look_alike_have_different_digests(first, second):
    assert digest(first) != digest(second)


def test_the_digest_is_pinned():
    expected = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest({}) == expected  # sha256 of the two characters {}


def test_options_label_themselves():
    assert list(choice(16, 32).options) == ["16", "32"]
    assert list(choice(node("CNN"), node("MLP")).options) == ["CNN", "MLP"]
    assert choice(a=1, b=2, name="x") == Choice({"a": 1, "b": 2}, "x")


def test_options_of_the_same_label_are_an_error():
    with pytest.raises(ChoiceError, match="same label"):
        choice(node("MLP", hidden=[1]), node("MLP", hidden=[2]))


def test_a_choice_needs_options():
    with pytest.raises(ChoiceError, match="no options"):
        Choice({})


def test_arguments_are_all_positional_or_all_named():
    with pytest.raises(TypeError, match="all positional or all named"):
        node("Linear", 2, out_features=3)


def test_walk_gives_every_part_with_its_path():
    found = dict(walk({"a": [node("X", w=choice(1, 2))]}))
    assert found["a", 0, "args", "w", "choice", "2"] == 2
    assert isinstance(found["a", 0], Node)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"key": "X", "arg": {}}, ("arg",)),
        ({"key": 3}, ("key",)),
        ({"key": "X", "args": 3}, ("args",)),
        ({"choice": {}}, ("choice",)),
        ({"choice": 3}, ("choice",)),
        ({"choice": [1, 2], "nam": "x"}, ("nam",)),
        ({"choice": [1, 1]}, ("choice",)),
        ({"choice": [1], "name": 3}, ("name",)),
        ([{"a": float("nan")}], (0, "a")),
        ([{1, 2}], (0,)),
    ],
)
def test_mistakes_in_values_have_their_paths(data, path):
    (mistake,) = parse_value(data)[1]
    assert mistake.path == path


def test_several_mistakes_are_found_at_once():
    assert len(parse_value([{"key": 1}, {"choice": []}, {"key": "X", "argz": 1}])[1]) == 3
