from __future__ import annotations

import pytest
import torch

from tsunagu.errors import ChoiceError, SpecError
from tsunagu.spec import choice, node
from tsunagu.tasks import build, check_model


def test_equal_spec_and_seed_give_equal_weights_bit_for_bit():
    first, second = (build(node("TauMLP"), seed=3, path=("a",)).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(("seed", "path"), [(4, ("a",)), (3, ("b",))])
def test_another_seed_or_path_gives_other_weights(seed, path):
    first = build(node("Linear", 3, 3), seed=3, path=("a",)).weight
    assert not torch.equal(first, build(node("Linear", 3, 3), seed=seed, path=path).weight)


def test_building_leaves_the_global_generator_alone():
    before = torch.random.default_generator.get_state()
    build(node("TauCNN"), seed=1)
    assert torch.equal(before, torch.random.default_generator.get_state())


def test_a_layer_keeps_its_weights_whatever_is_built_around_it():
    alone = build([node("Linear", 3, 3)], seed=1)
    among = build([node("Linear", 3, 3), node("Linear", 3, 1)], seed=1)
    assert torch.equal(alone[0].weight, among[0].weight)


def test_a_node_may_be_an_argument_of_a_node():
    net = build(node("MLP", hidden=[4], activation=node("GELU")), seed=1)
    assert any(isinstance(part, torch.nn.GELU) for part in net.modules())


def test_a_users_class_is_found_by_its_import_path():
    net = build(node("torch.nn:Linear", 2, 1), seed=1)
    assert isinstance(net, torch.nn.Linear)


def test_a_choice_that_is_left_names_itself():
    with pytest.raises(ChoiceError, match=r"tasks.fit.model: a choice between a, b is left"):
        build(choice(a=node("ReLU"), b=node("GELU")), seed=1, path=("tasks", "fit", "model"))


def test_arguments_that_a_constructor_refuses_are_quoted():
    with pytest.raises(SpecError, match=r"model.args: Linear cannot be built from"):
        build(node("Linear", "two", 1), seed=1, path=("model",))


def test_all_mistakes_of_a_model_are_found_at_once():
    model = [node("Linera", 2, 3), choice(a=node("ReLU"), b=node("GELO")), node("Linear", in_feature=3), 7]
    found = [str(mistake) for mistake in check_model(model, ("model",))]
    assert len(found) == 6
    assert "did you mean 'Linear'" in found[0]
    assert found[1].startswith("model.1.choice.b.key: unknown layer 'GELO'")
    assert found[2].startswith("model.2.args.in_feature: unknown argument 'in_feature'")
    assert [line.split(": ")[1] for line in found[3:5]] == [
        "missing argument 'in_features'",
        "missing argument 'out_features'",
    ]
    assert "expected a node" in found[5]


def test_nodes_in_arguments_and_their_options_are_checked_too():
    model = node("Sequential", choice(a=node("ReLU"), b=node("GELO")), node("Linera", 2))
    assert [mistake.path for mistake in check_model(model, ())] == [
        ("args", 0, "choice", "b", "key"),
        ("args", 1, "key"),
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("LSTM", "found 'LSTM'; write {key: LSTM}"),
        (None, "found nothing"),
        ({"name": "X"}, "found {'name': 'X'}"),
    ],
)
def test_what_is_no_node_says_what_to_write(value, message):
    (mistake,) = check_model(value, ("model",))
    assert mistake.message == f"expected a node {{key, args}} or a list of them, {message}"
