from __future__ import annotations

import re
from contextlib import nullcontext

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tsunagu.errors import ChoiceError
from tsunagu.spec import (
    Architecture,
    Choice,
    architectures,
    canonical,
    check_choices,
    choice,
    choices,
    count,
    node,
    resolve,
    walk,
)

SPACE = {
    "model": choice(
        cnn=node("CNN", channels=choice(16, 32), kernel=choice(3, 5)),
        mlp=node("MLP", act=choice("ReLU", "GELU", "Mish")),
        scale=node("Scale"),
    ),
    "lr": choice(0.1, 0.01),
}


def test_labels_are_paths_without_args():
    assert list(choices(SPACE)) == ["model", "model.cnn.channels", "model.cnn.kernel", "model.mlp.act", "lr"]


def test_an_options_choices_count_only_while_it_is_taken():
    assert count(SPACE) == (2 * 2 + 3 + 1) * 2
    assert len(set(architectures(SPACE))) == 16
    assert {len(a) for a in architectures(SPACE)} == {2, 3, 4}


def test_a_name_used_twice_is_one_decision():
    width = choice(8, 16, name="width")
    space = [node("Linear", 4, width), node("Linear", width, 2)]
    assert count(space) == 2
    assert resolve(space, {"width": "8"}) == [node("Linear", 4, 8), node("Linear", 8, 2)]


def test_two_definitions_of_one_name_are_an_error():
    with pytest.raises(
        ChoiceError, match=r"width: one name, two definitions: options 8, 16 here and 8, 32 there"
    ):
        choices([choice(8, 16, name="width"), choice(8, 32, name="width")])


def test_clashes_of_names_have_their_places():
    space = {"a": node("X", w=choice(8, 16, name="w")), "b": [choice(8, 32, name="w")], "c.d": choice(1, 2)}
    assert [mistake.path for mistake in check_choices(space)] == [("b", 0)]
    twice = choice(1, 2)
    (mistake,) = check_choices({"c": {"d": twice}, "c.d": twice})
    assert "two choices stand under this label" in mistake.message


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ({"model": "cnn"}, r"model.cnn.channels: not decided; choose one of 16, 32"),
        ({"modle": "cnn"}, r"there is no choice 'modle' \(did you mean 'model'\?\)"),
        ({"model": "cmn"}, r"model: there is no option 'cmn' \(did you mean 'cnn'\?\)"),
        ({"model": "scale"}, r"lr: not decided"),
    ],
)
def test_a_wrong_architecture_names_label_and_options(architecture, message):
    with pytest.raises(ChoiceError, match=message):
        resolve(SPACE, architecture)


@given(data=st.data())
def test_every_architecture_resolves_to_a_value_without_choices(values, data):
    value = data.draw(values)
    assume(count(value) <= 200)
    resolved = [canonical(resolve(value, a)) for a in architectures(value)]
    assert len(resolved) == count(value)
    for architecture in architectures(value):
        parts = walk(resolve(value, architecture))
        assert not any(isinstance(part, Choice) for _, part in parts)


@given(data=st.data())
def test_every_clash_has_a_place_at_which_a_choice_stands(values, data):
    value = data.draw(st.lists(st.one_of(values, st.just(choice(1, 2, name="width"))), max_size=3))
    parts = dict(walk(value))
    mistakes = check_choices(value)
    assert all(isinstance(parts[mistake.path], Choice) for mistake in mistakes)
    with pytest.raises(ChoiceError, match=re.escape(mistakes[0].message)) if mistakes else nullcontext():
        choices(value)


def test_architectures_are_values():
    first, second = Architecture({"a": "1", "b": "2"}), Architecture({"b": "2", "a": "1"})
    assert first == second
    assert hash(first) == hash(second)
    assert dict(first) == {"a": "1", "b": "2"}
