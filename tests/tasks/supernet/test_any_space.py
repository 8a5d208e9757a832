"""The invariants of a supernet, over spaces that are made up: choices in layers, lists, arguments and options."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.spec import Node, architectures, choice, count, node, options, resolve
from tsunagu.tasks import build, build_supernet, decisions, mixture, single_path, take
from tsunagu.tasks.supernet.switch import labels_of

PATH = ("tasks", "fit", "model")
EVENTS = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))

_numbers = st.sampled_from(
    [
        4,
        choice(4, 6),
        choice(4, 6, name="size"),
        choice(small=choice(4, 5), large=9),
        choice(4, 5, name="other"),
    ]
)
_activations = st.sampled_from(
    ["ReLU", choice("ReLU", "GELU"), choice("ReLU", "Tanh", name="act"), node("Mish")]
)
_mlps = st.builds(
    lambda sizes, activation: node(
        "MLP", hidden=sizes, inputs=3, outputs=3, activation=activation, momenta=False
    ),
    st.lists(_numbers, max_size=2),
    _activations,
)


def _is_node(value):
    """Whether all that a value may turn out to be are nodes: a sequence that is a node takes nothing else."""
    return all(isinstance(part, Node) for _, part in options(value))


_layers = st.sampled_from([node("Linear", 3, 3), node("Tanh"), node("BatchNorm1d", 3)])
_models = st.recursive(
    _mlps | _layers,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.lists(inner.filter(_is_node), min_size=1, max_size=3).map(
            lambda parts: node("Sequential", *parts)
        )
        | st.lists(inner, min_size=1, max_size=3).map(
            lambda parts: choice(**{f"o{i}": p for i, p in enumerate(parts)})
        )
    ),
    max_leaves=6,
)
_spaces = _models.filter(lambda space: count(space) <= 16)


@settings(max_examples=30, deadline=None)
@given(_spaces)
def test_every_path_is_the_candidate_that_would_be_built_alone(space):
    net = build_supernet(space, seed=7, path=PATH).eval()
    ways = list(architectures(space, PATH))
    assert {frozenset(way.items()) for way in decisions(net, {})} == {frozenset(a.items()) for a in ways}
    for architecture in ways:
        path = single_path(net, architecture)
        alone = build(resolve(space, architecture, PATH), seed=7, path=PATH).eval()
        first, second = path.state_dict(), alone.state_dict()
        assert list(first) == list(second)
        assert all(torch.equal(first[name], second[name]) for name in first)
        take(net, architecture)
        expected = alone(EVENTS)
        assert torch.equal(path(EVENTS), expected)
        assert torch.equal(net(EVENTS), expected)


@settings(max_examples=30, deadline=None)
@given(_spaces)
def test_weights_of_one_and_else_zero_give_the_path(space):
    net = build_supernet(space, seed=7, path=PATH).eval()
    for architecture in architectures(space, PATH):
        mixed = mixture(net, _one_hot(net, architecture))(EVENTS)
        assert torch.equal(mixed, single_path(net, architecture)(EVENTS))


def _one_hot(net, architecture):
    sizes = {
        label: names for switch in net.modules() for label, names in getattr(switch, "choices", {}).items()
    }
    assert set(sizes) == labels_of(net)
    return {
        label: torch.tensor([float(name == architecture.get(label, names[0])) for name in names])
        for label, names in sizes.items()
    }
