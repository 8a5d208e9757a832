"""Adam as a function."""

import pytest
import torch

from tsunagu.search.adam import Adam


@pytest.mark.parametrize(("betas", "decay"), [((0.9, 0.999), 0.0), ((0.5, 0.999), 1e-3)])
def test_it_is_that_of_torch(betas, decay):
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(5, generator=generator, dtype=torch.float64)
    weight = start.clone().requires_grad_()
    reference = torch.optim.Adam([weight], lr=0.1, betas=betas, weight_decay=decay)
    adam = Adam(rate=0.1, betas=betas, decay=decay)
    values, moments = {"x": start}, adam.start({"x": start})
    for number in range(1, 20):
        weight.grad = torch.randn(5, generator=generator, dtype=torch.float64)
        reference.step()
        values, moments = adam.step(values, moments, {"x": weight.grad}, number)
        torch.testing.assert_close(values["x"], weight.detach(), rtol=1e-12, atol=1e-12)


def test_nothing_is_changed_in_place():
    x = {"x": torch.ones(2)}
    Adam(rate=0.1).step(x, Adam(rate=0.1).start(x), {"x": torch.ones(2)}, 1)
    assert x["x"].tolist() == [1.0, 1.0]
