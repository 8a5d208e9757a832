"""What all candidates of a task promise: shapes, dtypes, gradients, parameter counts."""

import math

import pytest
import torch
from torch import nn

from tsunagu import layers
from tsunagu.layers import find

FIRST = {"TauCNN": 18847, "TauMLP": 14359, "ScaleFactor": 6, "Zero": 0, "Noise": 0}
SECOND = {
    "LSTM": 21774,
    "MLP": 2369,
    "MassMLP": 4353,
    "Zero": 0,
    "Noise": 0,
    "RotatedMLP": 2433,
    "ResidualMLP": 14977,
    "DeepSets": 3361,
    "TauAttention": 17161,
}
WITH_MET = {
    "LSTM": 21774,
    "MLP": 2465,
    "MassMLP": 4481,
    "RotatedMLP": 2529,
    "ResidualMLP": 15121,
    "DeepSets": 3457,
    "TauAttention": 17289,
}
LEARNING_FIRST = [key for key, count in FIRST.items() if count]
LEARNING_SECOND = [key for key, count in SECOND.items() if count]


def parameters(module):
    return sum(weight.numel() for weight in module.parameters())


def events(count=6, dtype=torch.float32, seed=1):
    draw = torch.Generator().manual_seed(seed)

    def uniform(low, high):
        return low + (high - low) * torch.rand(count, 2, generator=draw, dtype=dtype)

    p4 = torch.stack(
        [uniform(20, 120), uniform(-2.5, 2.5), uniform(-math.pi, math.pi), uniform(1, 20)], dim=-1
    )
    image = 5.0 * torch.rand(count, 2, 3, 16, 16, generator=draw, dtype=dtype) ** 8
    return image, p4


def first(key, **args):
    return find(key)(**(args | ({"output": [2, 3]} if key in ("Zero", "Noise") else {})))


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(5)
        yield


@pytest.mark.parametrize(("key", "count"), FIRST.items())
def test_parameter_counts_of_the_first_task(key, count):
    assert parameters(first(key)) == count


@pytest.mark.parametrize(("key", "count"), SECOND.items())
def test_parameter_counts_of_the_second_task(key, count):
    assert parameters(find(key)()) == count


@pytest.mark.parametrize(("key", "count"), WITH_MET.items())
def test_parameter_counts_with_a_missing_momentum(key, count):
    assert parameters(find(key)(met=True)) == count


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("key", FIRST)
def test_first_task_gives_momenta(key, dtype, count):
    image, p4 = events(count, dtype)
    result = first(key).to(dtype)(image, p4)
    assert result.shape == (count, 2, 3)
    assert result.dtype == dtype
    assert torch.isfinite(result).all()


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("key", SECOND)
def test_second_task_gives_a_logit(key, dtype, count):
    result = find(key)().to(dtype)(events(count, dtype)[1][..., :3])
    assert result.shape == (count,)
    assert result.dtype == dtype
    assert torch.isfinite(result).all()


@pytest.mark.parametrize("key", LEARNING_SECOND)
def test_more_outputs_have_an_axis(key):
    assert find(key)(outputs=4)(events()[1][..., :3]).shape == (6, 4)


@pytest.mark.parametrize("key", LEARNING_FIRST)
def test_events_do_not_see_each_other(key):
    image, p4 = events()
    net = first(key)
    together = net(image, p4)
    alone = torch.cat([net(image[i : i + 1], p4[i : i + 1]) for i in range(len(p4))])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("key", LEARNING_FIRST)
def test_jets_share_the_weights(key):
    image, p4 = events()
    net = first(key)
    torch.testing.assert_close(net(image.flip(1), p4.flip(1)), net(image, p4).flip(1))


@pytest.mark.parametrize("key", LEARNING_FIRST)
def test_outputs_are_physical_even_for_wild_weights(key):
    image, p4 = events()
    net = first(key)
    for weight in net.parameters():
        weight.data.mul_(30.0)
    pt, eta, phi = net(image, p4).unbind(-1)
    assert (pt >= 0).all()
    assert torch.isfinite(pt).all()
    assert (eta.abs() <= 5.0).all()
    assert (phi.abs() <= math.pi + 1e-6).all()


@pytest.mark.parametrize("key", ["TauCNN", "TauMLP"])
def test_without_a_correction_the_jet_comes_back(key):
    image, p4 = events(dtype=torch.float64)
    net = first(key).double()
    for weight in net.head[-1].parameters():
        nn.init.zeros_(weight)
    torch.testing.assert_close(net(image, p4), p4[..., :3])


@pytest.mark.parametrize("key", LEARNING_FIRST)
def test_every_weight_of_the_first_task_learns(key):
    image, p4 = events(64)
    net = first(key, activation="GELU") if key != "ScaleFactor" else first(key)
    (net(image, p4) * torch.tensor([0.01, 1.0, 1.0])).square().sum().backward()
    assert all(w.grad is not None and torch.isfinite(w.grad).all() and w.grad.any() for w in net.parameters())


@pytest.mark.parametrize("key", LEARNING_SECOND)
def test_every_weight_of_the_second_task_learns_and_so_does_its_input(key):
    momenta = events(64)[1][..., :3].requires_grad_()
    net = find(key)()
    net(momenta).square().sum().backward()
    assert all(w.grad is not None and torch.isfinite(w.grad).all() and w.grad.any() for w in net.parameters())
    assert momenta.grad is not None
    assert torch.isfinite(momenta.grad).all()
    assert momenta.grad.flatten(0, 1).any(0).all()


@pytest.mark.parametrize("key", LEARNING_SECOND)
@pytest.mark.parametrize("control", ["Zero", "Noise"])
def test_the_second_task_survives_a_control_before_it(key, control):
    tau = first(control)(*events(32)).requires_grad_()
    logit = find(key)()(tau)
    logit.sum().backward()
    assert torch.isfinite(logit).all()
    assert torch.isfinite(tau.grad).all()


EDGES = {
    "nothing at all": (0.0, 0.0, 0.0, 0.0),
    "no mass": (50.0, 1.0, 1.0, 0.0),
    "a negative mass": (50.0, 1.0, 1.0, -3.0),
    "along the beam": (1e-6, 50.0, 0.0, 1.0),
    "half a turn": (30.0, 0.0, math.pi, 1.0),
    "very hard": (1e5, 4.9, -math.pi, 1e3),
    "a pt below 0": (-40.0, 0.0, 0.0, 1.0),
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("key", LEARNING_FIRST)
def test_gradients_of_the_first_task_are_finite_at_the_edges(key, edge):
    p4 = torch.tensor([[EDGES[edge], EDGES[edge]]]).requires_grad_()
    image = torch.zeros(1, 2, 3, 16, 16).requires_grad_()
    net = first(key)
    net(image, p4).square().sum().backward()
    gradients = [p4.grad, *(weight.grad for weight in net.parameters())]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("key", LEARNING_SECOND)
def test_gradients_of_the_second_task_are_finite_at_the_edges(key, edge):
    # The same tau twice: collinear, so that the roots of the mass are at their smallest.
    tau = torch.tensor([[EDGES[edge][:3], EDGES[edge][:3]]]).requires_grad_()
    net = find(key)()
    logit = net(tau)
    logit.sum().backward()
    assert torch.isfinite(logit).all()
    assert all(torch.isfinite(g).all() for g in [tau.grad, *(weight.grad for weight in net.parameters())])


SIZES = {
    nn.Linear: ("in_features", "out_features"),
    nn.LSTM: ("input_size", "hidden_size"),
    nn.Conv2d: ("in_channels", "out_channels", "kernel_size", "padding"),
}


def structure(module):
    """Sizes in and out of the layers with weights, in the order in which they are declared."""
    layers = [layer for layer in module.modules() if type(layer) in SIZES]
    return [tuple(getattr(layer, name) for name in SIZES[type(layer)]) for layer in layers]


def test_the_structures_are_those_of_the_study():
    embed, head = [(16, 16), (16, 16), (16, 4)], [(8, 32), (32, 32), (32, 3)]
    assert structure(find("TauMLP")()) == [(768, 16), *embed, *head]
    maps = [
        (3, 32, (3, 3), (0, 0)),
        (32, 16, (3, 3), (0, 0)),
        (16, 16, (2, 2), (0, 0)),
        (16, 8, (2, 2), (0, 0)),
    ]
    assert structure(find("TauCNN")()) == [*maps, (128, 16), *embed, (8, 64), (64, 64), (64, 64), (64, 3)]
    assert structure(find("MLP")()) == [(6, 32), (32, 32), (32, 32), (32, 1)]
    assert structure(find("LSTM")()) == [(3, 32), (32, 32), (32, 32), (32, 1), (1, 1)]
    assert structure(find("MassMLP")()) == [(1, 64), (64, 64), (64, 1)]


@pytest.mark.parametrize("key", ["TauCNN", "TauMLP"])
def test_negative_and_empty_pixels_are_harmless(key):
    image, p4 = events()
    assert torch.isfinite(first(key)(-image, p4)).all()
    assert torch.isfinite(first(key)(torch.zeros_like(image), p4)).all()


@pytest.mark.parametrize("key", [*LEARNING_FIRST, *(key for key in LEARNING_SECOND if key != "LSTM")])
def test_stacked_weights_run_under_vmap(key):
    inputs = events() if key in FIRST else (events()[1][..., :3],)
    nets = [find(key)() for _ in range(3)]
    weights, buffers = torch.func.stack_module_state(nets)
    together = torch.func.vmap(lambda w, b: torch.func.functional_call(nets[0], (w, b), inputs))(
        weights, buffers
    )
    torch.testing.assert_close(together, torch.stack([net(*inputs) for net in nets]))


@pytest.mark.parametrize("key", ["TauCNN", "TauMLP", *(key for key in LEARNING_SECOND if key != "LSTM")])
@pytest.mark.parametrize("activation", ["GELU", "Mish", nn.PReLU()])
def test_activations_and_dropout_are_settings(key, activation):
    net = find(key)(activation=activation, dropout=0.3)
    kinds = {type(layer).__name__ for layer in net.modules()}
    assert "Dropout" in kinds
    assert "ReLU" not in kinds
    assert (activation if isinstance(activation, str) else "PReLU") in kinds


def test_a_wrong_activation_names_the_nearest():
    with pytest.raises(ValueError, match=r"unknown activation 'GELUU' \(did you mean 'GELU'\?\)"):
        layers.TauMLP(activation="GELUU")
