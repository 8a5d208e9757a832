"""The mixture of all options."""

import pytest
import torch

from tsunagu.search import Darts, Mixture
from tsunagu.search.darts import chain_softmax


def test_the_gradient_by_alpha_is_that_of_autograd():
    """dL/da_i = p_i <dL/do, o_i - o>, and these add up to 0."""
    generator = torch.Generator().manual_seed(1)
    outputs = torch.randn(4, 7, generator=generator, dtype=torch.float64)
    alpha = torch.randn(4, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = alpha.softmax(0)
    mixed = weights @ outputs
    loss = (mixed**3).sum()
    slope_out, by_weights, by_alpha = torch.autograd.grad(loss, [mixed, weights, alpha])
    chained = chain_softmax(weights.detach(), by_weights)
    formula = weights.detach() * ((outputs - mixed.detach()) @ slope_out)
    torch.testing.assert_close(chained, by_alpha)
    torch.testing.assert_close(chained, formula)
    assert abs(chained.sum().item()) < 1e-12


def test_a_step_is_adams_on_alpha(grid_of):
    search = Darts(rate=0.1, decay=0.01)
    state = search.init(grid_of(3), 1)
    alpha = state.alpha["c0"].clone().requires_grad_()
    reference = torch.optim.Adam([alpha], lr=0.1, betas=(0.5, 0.999), weight_decay=0.01)
    target = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    for _ in range(5):
        asked = search.ask(state)
        torch.testing.assert_close(asked.weights["c0"], alpha.detach().softmax(0))
        state = search.tell(state, asked, {"c0": target.float()})
        reference.zero_grad()
        (alpha.softmax(0) @ target).backward()
        reference.step()
        torch.testing.assert_close(state.alpha["c0"], alpha.detach())


def test_it_starts_near_uniform_and_by_the_seed(grid_of):
    states = [Darts().init(grid_of(50), seed) for seed in (1, 1, 2)]
    assert states[0].alpha["c0"].equal(states[1].alpha["c0"])
    assert not states[0].alpha["c0"].equal(states[2].alpha["c0"])
    assert states[0].alpha["c0"].std().item() == pytest.approx(1e-3, rel=0.3)


def test_a_linear_problem_is_learnt_for_every_open_choice(nested, run):
    weights = {label: torch.arange(len(options), 0.0, -1.0) for label, options in nested.options.items()}
    state = run(Darts(rate=0.05, steps=100), nested, lambda _: weights)
    assert dict(Darts().best(state)) == {"model": "scale", "lr": "2"}
    assert Darts().distribution(state)["model"]["scale"] > 0.8


def test_a_label_without_a_gradient_stays(grid_of):
    search = Darts(decay=0.0)
    state = search.init(grid_of(2, 2), 1)
    after = search.tell(state, search.ask(state), {"c0": torch.tensor([1.0, -1.0])})
    assert after.alpha["c1"].equal(state.alpha["c1"])
    assert not after.alpha["c0"].equal(state.alpha["c0"])


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        ({"c9": torch.zeros(2)}, "a gradient for 'c9', which was not asked"),
        ({"c0": torch.zeros(3)}, r"c0: 2 finite numbers expected, found \[0.0, 0.0, 0.0\]"),
        ({"c0": torch.tensor([0.0, torch.nan])}, r"c0: 2 finite numbers expected, found \[0.0, nan\]"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(grid_of, answer, match):
    search = Darts()
    state = search.init(grid_of(2), 1)
    asked = search.ask(state)
    assert isinstance(asked, Mixture)
    with pytest.raises(ValueError, match=match):
        search.tell(state, asked, answer)
