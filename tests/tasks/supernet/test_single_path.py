"""A path of a supernet is the candidate that would have been built alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.errors import ChoiceError
from tsunagu.layers import stochastic
from tsunagu.spec import architectures, choice, node, resolve
from tsunagu.tasks import Switch, build, build_supernet, decisions, single_path, take

PATH = ("tasks", "fit", "model")


@pytest.fixture
def net(space):
    return build_supernet(space, seed=7, path=PATH)


@pytest.fixture
def ways(space):
    return list(architectures(space, PATH))


def _alone(space, architecture):
    return build(resolve(space, architecture, PATH), seed=7, path=PATH)


def _own_leaves(path):
    return {id(parameter) for parameter in path.parameters()}


def test_the_ways_through_the_net_are_the_architectures_of_the_spec(net, ways):
    assert {frozenset(way.items()) for way in decisions(net, {})} == {frozenset(a.items()) for a in ways}


def test_a_path_has_the_keys_and_the_first_weights_of_the_candidate_alone(space, net, ways):
    for architecture in ways:
        path, alone = single_path(net, architecture).state_dict(), _alone(space, architecture).state_dict()
        assert list(path) == list(alone)
        assert all(torch.equal(path[name], alone[name]) for name in alone)


@pytest.mark.parametrize("training", [True, False])
def test_a_path_gives_what_the_candidate_alone_gives(space, net, ways, events, training):
    net.train(training)
    for architecture in ways:
        path, alone = single_path(net, architecture), _alone(space, architecture).train(training)
        # Paths share their dropout layers, so each begins where the candidate begins.
        for (_, layer), (_, other) in zip(stochastic(path), stochastic(alone), strict=True):
            layer.reseed(other.draws.seed)
        assert torch.equal(path(events), alone(events))


def test_noise_begins_where_that_of_the_candidate_begins(space, net, ways):
    for architecture in ways:
        found = [
            {name: layer.draws.seed for name, layer in stochastic(module)}
            for module in (single_path(net, architecture), _alone(space, architecture))
        ]
        assert found[0] == found[1]


def test_a_path_holds_no_switch_and_the_supernets_own_tensors(net, ways):
    own = {id(t) for t in (*net.parameters(), *net.buffers())}
    for architecture in ways:
        path = single_path(net, architecture)
        assert not any(isinstance(part, Switch) for part in path.modules())
        assert {id(t) for t in (*path.parameters(), *path.buffers())} <= own


def test_all_that_is_built_is_on_some_path(net, ways):
    reached = set().union(*(_own_leaves(single_path(net, architecture)) for architecture in ways))
    assert reached == {id(parameter) for parameter in net.parameters()}


@pytest.mark.parametrize("run", ["single_path", "take"])
def test_the_gradient_of_a_path_reaches_its_own_leaves_only(net, ways, events, run):
    # Of a path without weights nothing could be differentiated, but for its input.
    inputs = events.clone().requires_grad_()
    for architecture in ways:
        path = single_path(net, architecture)
        take(net, architecture)
        (path if run == "single_path" else net)(inputs).square().sum().backward()
        touched = {id(parameter) for parameter in net.parameters() if parameter.grad is not None}
        assert touched == _own_leaves(path)
        net.zero_grad(set_to_none=True)


def test_the_net_itself_runs_the_path_that_was_taken(net, ways, events):
    net.eval()
    for architecture in ways:
        take(net, architecture)
        assert torch.equal(net(events), single_path(net, architecture)(events))


def test_a_path_trains_as_the_candidate_alone(space, ways, events):
    for architecture in ways:
        path, alone = (
            single_path(build_supernet(space, seed=7, path=PATH), architecture),
            _alone(space, architecture),
        )
        for model in (path, alone):
            optimizer = torch.optim.SGD([*model.parameters(), torch.zeros(1, requires_grad=True)], lr=0.1)
            for (_, layer), seed in zip(stochastic(model), range(9), strict=False):
                layer.reseed(seed)
            for _ in range(3):
                optimizer.zero_grad()
                model(events.clone().requires_grad_()).square().mean().backward()
                optimizer.step()
        trained = alone.state_dict()
        assert all(torch.equal(tensor, trained[name]) for name, tensor in path.state_dict().items())


def test_layers_around_a_choice_are_shared():
    layers = [node("Linear", 3, 5), choice(node("ReLU"), node("GELU"), name="act"), node("Linear", 5, 3)]
    net = build_supernet(layers, seed=1)
    first, second = (single_path(net, {"act": option}) for option in ("ReLU", "GELU"))
    assert first[0] is second[0]
    assert first[2] is second[2]
    assert isinstance(second[1], nn.GELU)


def test_what_is_trained_in_a_path_is_trained_in_the_net():
    net = build_supernet(choice(a=node("Linear", 2, 2), b=node("Linear", 2, 2)), seed=1)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    path = single_path(net, {"choice": "b"})
    with torch.no_grad():
        path.weight += 1.0
    changed = [name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])]
    assert changed == ["options.1.weight"]


@pytest.mark.parametrize("look", [single_path, take])
@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ({}, "model: not decided; choose one of cnn, mlp"),
        ({"model": "cnnn"}, "model: there is no option 'cnnn' .did you mean 'cnn'."),
    ],
)
def test_what_is_not_decided_is_named(look, architecture, message):
    net = build_supernet(choice(cnn=node("ReLU"), mlp=node("Tanh"), name="model"), seed=1)
    with pytest.raises(ChoiceError, match=message):
        look(net, architecture)


def test_a_supernet_that_took_nothing_says_what_to_do(events):
    net = build_supernet(choice(cnn=node("ReLU"), mlp=node("Tanh"), name="model"), seed=1)
    with pytest.raises(ChoiceError, match="model: nothing is taken; use take, single_path or mixture"):
        net(events)
