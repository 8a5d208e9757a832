"""The gradient through a training step."""

import pytest
import torch

from tsunagu.search import first_order, mixed_product, mixed_product_by_differences, second_order


def valid(w, a):
    return a["a"] * w["w"] - 2 * a["a"] + 1


def train(w, a):
    return w["w"] ** 2 - 2 * a["a"] * w["w"] + a["a"] ** 2


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.25, 0.5])
def test_the_fixed_point_of_the_papers_toy(rate):
    """DARTS, fig. 2: the algorithm ends at a = w = 2 / (1 + 2 xi), the bilevel optimum for xi = 1/2."""
    w, a = (torch.tensor(x, dtype=torch.float64) for x in (-2.0, 2.0))
    for _ in range(600):
        a = a - 0.1 * second_order(train, valid, {"w": w}, {"a": a}, rate=rate)["a"]
        w = w - 0.1 * first_order(lambda a, w: train(w, a), {"a": a}, {"w": w})["w"]
    assert [w.item(), a.item()] == pytest.approx([2.0 / (1.0 + 2.0 * rate)] * 2, abs=1e-10)


@pytest.fixture
def net():
    """A small net in float64: weights, mixture parameters, and its losses on two sets of events."""
    generator = torch.Generator().manual_seed(3)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    weights = {"in": normal(4, 6), "out": normal(6, 1), "unused": normal(2)}
    alpha = {"x": normal(3), "unused": normal(2)}

    def loss_on(inputs, target):
        def loss(w, a):
            hidden = inputs @ w["in"]
            mixed = torch.stack([hidden.tanh(), hidden.sigmoid(), hidden.sin()], -1) @ a["x"].softmax(0)
            return ((mixed @ w["out"] - target) ** 2).mean()

        return loss

    return weights, alpha, loss_on(normal(20, 4), normal(20, 1)), loss_on(normal(20, 4), normal(20, 1))


def test_a_rate_of_zero_is_the_first_order_bit_for_bit(net):
    weights, alpha, on_train, on_valid = net
    first = first_order(on_valid, weights, alpha)
    second = second_order(on_train, on_valid, weights, alpha, rate=0.0)
    assert all(first[name].equal(second[name]) for name in alpha)
    assert first["unused"].tolist() == [0.0, 0.0]


def test_differences_agree_with_the_exact_product(net):
    weights, alpha, on_train, _ = net
    vector = {name: torch.ones_like(value) for name, value in weights.items()}
    exact = mixed_product(on_train, weights, alpha, vector)
    close = mixed_product_by_differences(on_train, weights, alpha, vector, size=1e-3)
    assert (exact["x"] - close["x"]).norm() / exact["x"].norm() < 1e-6


@pytest.mark.parametrize(("momentum", "decay"), [(0.0, 0.0), (0.9, 0.01)])
def test_the_second_order_is_the_derivative_of_the_loss_after_the_step(net, momentum, decay):
    weights, alpha, on_train, on_valid = net
    rate, buffers = 0.3, {name: 0.1 * torch.ones_like(value) for name, value in weights.items()}

    def after(a):
        slopes = first_order(lambda held, w: on_train(w, held), {"x": a, "unused": alpha["unused"]}, weights)
        moved = {n: w - rate * (momentum * buffers[n] + slopes[n] + decay * w) for n, w in weights.items()}
        return on_valid(moved, {"x": a})

    exact = second_order(
        on_train, on_valid, weights, alpha, rate=rate, momentum=momentum, buffers=buffers, decay=decay
    )["x"]
    steps = 1e-5 * torch.eye(3, dtype=torch.float64)
    numeric = torch.stack([(after(alpha["x"] + s) - after(alpha["x"] - s)) / 2e-5 for s in steps])
    torch.testing.assert_close(exact, numeric, rtol=1e-6, atol=1e-9)
    assert not exact.allclose(first_order(on_valid, weights, alpha)["x"], rtol=0.05)


def test_what_is_given_is_left_alone(net):
    weights, alpha, on_train, on_valid = net
    before = {name: value.clone() for name, value in weights.items()}
    second_order(on_train, on_valid, weights, alpha, rate=0.1)
    assert all(before[name].equal(value) and value.grad is None for name, value in weights.items())
    assert not any(value.requires_grad for value in (*weights.values(), *alpha.values()))


def test_a_training_loss_without_alpha_leaves_the_direct_part(net):
    weights, alpha, _, on_valid = net
    found = second_order(lambda w, _: (w["in"] ** 2).sum(), on_valid, weights, alpha, rate=0.1)
    moved = weights | {"in": weights["in"] - 0.1 * 2.0 * weights["in"]}
    torch.testing.assert_close(found, first_order(on_valid, moved, alpha))
