"""The mixture of all options, and its gradient by the weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.errors import ChoiceError
from tsunagu.spec import architectures, choice, choices, node
from tsunagu.tasks import build_supernet, mixture, single_path


class Counting(nn.Module):
    """The identity, which counts its calls."""

    calls = 0

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        Counting.calls += 1
        return self.factor * x


COUNTING = choice(
    **{label: node(f"{__name__}:Counting", f) for label, f in zip("abc", (1.0, 2.0, 3.0), strict=True)},
    name="n",
)


@pytest.fixture
def calls(monkeypatch):
    monkeypatch.setattr(Counting, "calls", 0)
    return lambda: Counting.calls


def _one_hot(space, architecture):
    """1 for what the architecture takes, and for the first option of what is not open in it."""
    found = {}
    for label, one in choices(space).items():
        names = list(one.options)
        found[label] = torch.eye(len(names))[names.index(architecture.get(label, names[0]))]
    return found


def test_a_mixture_of_one_is_the_path(mixable, events):
    net = build_supernet(mixable, seed=7).eval()
    for architecture in architectures(mixable):
        mixed = mixture(net, _one_hot(mixable, architecture))
        assert torch.equal(mixed(events), single_path(net, architecture)(events))


def test_the_gradient_by_the_weights_is_that_of_finite_differences(mixable, events):
    net = build_supernet(mixable, seed=7).double().eval()
    draw = torch.Generator().manual_seed(1)
    sizes = {label: len(one.options) for label, one in choices(mixable).items()}
    weights = {
        label: torch.rand(size, generator=draw, dtype=torch.float64).requires_grad_()
        for label, size in sizes.items()
    }

    def loss(*values):
        return mixture(net, dict(zip(sizes, values, strict=True)))(events.double()).square().mean()

    assert torch.autograd.gradcheck(loss, tuple(weights.values()))


def test_options_mix_by_their_weights_and_what_is_nested_mixes_inside():
    inner = choice(
        half=node(f"{__name__}:Counting", 10.0), whole=node(f"{__name__}:Counting", 20.0), name="inner"
    )
    net = build_supernet(choice(a=node("Identity"), b=inner, name="outer"), seed=1)
    weights = {"outer": torch.tensor([0.25, 0.75]), "inner": torch.tensor([0.5, 0.5])}
    assert mixture(net, weights)(torch.ones(1)).item() == pytest.approx(0.25 + 0.75 * 15.0)


def test_a_node_that_mentions_several_choices_takes_the_product_of_their_weights():
    net = build_supernet(
        node(f"{__name__}:Scaled", choice(1.0, 2.0, name="a"), choice(1.0, 10.0, name="b")), seed=1
    )
    weights = {"a": torch.tensor([0.5, 0.5]), "b": torch.tensor([0.25, 0.75])}
    assert mixture(net, weights)(torch.ones(1)).item() == pytest.approx(1.5 * 7.75)


class Scaled(nn.Module):
    """Times two numbers."""

    def __init__(self, first: float, second: float) -> None:
        super().__init__()
        self.factor = first * second

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * x


@pytest.mark.parametrize(
    ("grad", "sparse", "run"), [(False, False, 1), (True, False, 3), (True, True, 1), (False, True, 1)]
)
def test_options_of_weight_zero_run_only_where_their_gradient_is_wanted(calls, grad, sparse, run):
    weights = {"n": torch.tensor([0.0, 1.0, 0.0], requires_grad=grad)}
    net = build_supernet(COUNTING, seed=1)
    assert mixture(net, weights, sparse=sparse)(torch.ones(1)).item() == 2.0
    assert calls() == run


def test_straight_through_runs_the_chosen_option_and_gives_its_gradient(calls):
    logits = torch.tensor([0.1, 0.5, -0.2], requires_grad=True)
    soft = logits.softmax(0)
    hard = torch.tensor([0.0, 1.0, 0.0]) + (soft - soft.detach())
    made = mixture(build_supernet(COUNTING, seed=1), {"n": hard}, sparse=True)(torch.ones(1))
    made.sum().backward()
    by_hand = torch.autograd.grad(2.0 * logits.softmax(0)[1], logits)[0]
    assert calls() == 1
    assert made.item() == 2.0
    assert torch.allclose(logits.grad, by_hand)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "n: a mixture needs 3 weights for a, b, c, found none"),
        ({"n": torch.ones(2)}, r"n: a mixture needs 3 weights for a, b, c, found shape \[2\]"),
    ],
)
def test_weights_that_do_not_fit_are_named(weights, message):
    with pytest.raises(ChoiceError, match=message):
        mixture(build_supernet(COUNTING, seed=1), weights)


def test_unequal_shapes_are_not_broadcast():
    net = build_supernet(choice(one=node("Linear", 3, 1), three=node("Linear", 3, 3), name="out"), seed=1)
    mixed = mixture(net, {"out": torch.ones(2)})
    with pytest.raises(ChoiceError, match=r"out: .* three gives \[2, 3\] and an option before it \[2, 1\]"):
        mixed(torch.ones(2, 3))
