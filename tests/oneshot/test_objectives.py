"""Gradients by mixture weights, against finite differences and against each other."""

from __future__ import annotations

import copy

import pytest
import torch

from tsunagu.oneshot.judging import judging
from tsunagu.search import Darts, Gdas, Space
from tsunagu.spec import choice, node
from tsunagu.tasks.supernet import leaves_of

WEIGHTS = {
    "first": torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64),
    "second": torch.tensor([0.2, 0.2, 0.6], dtype=torch.float64),
}
BOTH = pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-6), (torch.float32, 1e-4)])


def _differences(function, weights, size=1e-5):
    found = {}
    for label, values in weights.items():
        shifts = size * torch.eye(len(values), dtype=torch.float64)
        pairs = [
            [function({**weights, label: values + sign * shift}) for sign in (1, -1)] for shift in shifts
        ]
        found[label] = torch.tensor(
            [(above - below) / (2 * size) for above, below in pairs], dtype=torch.float64
        )
    return found


def _assert_close(found, expected, close):
    assert found.keys() == expected.keys()
    for label, slope in found.items():
        assert slope.dtype == torch.float64
        torch.testing.assert_close(
            slope, expected[label], rtol=close, atol=close * float(expected[label].abs().max())
        )


def _of(case, weights, rows):
    with torch.no_grad(), judging(case.graph):
        return case.objectives.of_mixture(weights, rows).item()


def _ahead(case, weights, rate):
    """The validation loss after one plain step of the weights on the training loss."""
    there = copy.copy(case)
    there.graph = copy.deepcopy(case.graph)
    there.objectives = copy.copy(case.objectives)
    object.__setattr__(there.objectives, "graph", there.graph)
    with judging(there.graph):
        there.objectives.of_mixture(weights, case.train).backward()
    for weight in there.graph.parameters():
        weight.data -= rate * weight.grad
    return _of(there, weights, case.valid)


@BOTH
def test_the_first_order_is_that_of_finite_differences(chain_of, losses_of, dtype, close):
    pipeline = chain_of()
    case, exact = losses_of(pipeline, dtype), losses_of(pipeline, torch.float64)
    expected = _differences(lambda weights: _of(exact, weights, exact.valid), WEIGHTS)
    _assert_close(case.objectives.gradient(WEIGHTS, case.valid), expected, close)


@BOTH
def test_so_is_the_second_order(chain_of, losses_of, dtype, close):
    pipeline = chain_of()
    case, exact = losses_of(pipeline, dtype), losses_of(pipeline, torch.float64)
    expected = _differences(lambda weights: _ahead(exact, weights, 0.5), WEIGHTS)
    found = case.objectives.gradient_ahead(WEIGHTS, case.train, case.valid, rate=0.5)
    _assert_close(found, expected, close)
    first = case.objectives.gradient(WEIGHTS, case.valid)
    assert any((first[label] - found[label]).abs().max() > 0.05 * first[label].abs().max() for label in found)


def test_at_rate_0_it_is_the_first_order_bit_for_bit(chain_of, losses_of):
    case = losses_of(chain_of())
    first = case.objectives.gradient(WEIGHTS, case.valid)
    second = case.objectives.gradient_ahead(WEIGHTS, case.train, case.valid, rate=0.0)
    assert all(torch.equal(first[label], second[label]) for label in WEIGHTS)


def test_neither_leaves_a_trace(fit_of, losses_of):
    model = choice(
        a=[node("Linear", 3, 4), node("BatchNorm1d", 4), node("Dropout", 0.5), node("Linear", 4, 1)],
        b=node("Linear", 3, 1),
        name="model",
    )
    case = losses_of(fit_of(model))
    before = {name: value.clone() for name, value in case.graph.state_dict().items()}
    weights = {"model": torch.tensor([0.5, 0.5], dtype=torch.float64)}
    values = [case.objectives.gradient(weights, case.valid)["model"] for _ in range(2)]
    case.objectives.gradient_ahead(weights, case.train, case.valid, rate=0.1)
    case.objectives.judge(list(Space({"m": model}).all()), case.valid)
    assert torch.equal(*values)
    assert case.graph.training
    assert all(part.training for part in case.graph.modules())
    assert all(weight.grad is None for weight in case.graph.parameters())
    assert all(torch.equal(before[name], value) for name, value in case.graph.state_dict().items())
    assert not weights["model"].requires_grad


@pytest.mark.parametrize(("individual", "learns"), [(0.0, False), (1.0, True)])
def test_losses_of_their_own_keep_candidates_alive(chain_of, losses_of, individual, learns):
    case = losses_of(chain_of())
    nearly = {label: torch.tensor([1.0, 0.0, 1e-12]) for label in ("first", "second")}
    case.objectives.of_mixture(nearly, case.train, individual=individual).backward()
    sizes = {
        name: sum(0.0 if p.grad is None else float(p.grad.norm()) for p in leaf.parameters())
        for name, leaf in leaves_of(case.graph).items()
    }
    for task in ("calibrate", "classify"):
        assert sizes[f"models.{task}.options.0"] > 1e-4
        assert (sizes[f"models.{task}.options.2"] > 1e-4) == learns
        assert sizes[f"models.{task}.options.1"] == 0.0


def test_their_losses_are_those_of_their_task_on_mixed_inputs(chain_of, losses_of):
    case = losses_of(chain_of())
    objectives, one = case.objectives, {label: torch.tensor([1.0, 0.0, 0.0]) for label in WEIGHTS}
    alone = objectives.of_mixture(one, case.train)
    assert objectives.of_mixture(one, case.train, individual=1.0).item() == pytest.approx(2.0 * alone.item())


def _calls(search):
    counts = []
    for leaf in leaves_of(search.graph).values():
        leaf.register_forward_hook(lambda *_: counts.append(1))
    return counts


@pytest.mark.parametrize(
    ("searcher", "calls"), [(Gdas(), 2), (Darts(individual=0.0), 6)], ids=["one option", "all options"]
)
def test_gdas_runs_one_option_where_darts_runs_all(chain_of, search_of, searcher, calls):
    search = search_of(chain_of(pretrain=False, epochs=1), searcher)
    counts = _calls(search)
    search.run()
    tasks, twice = 2, 2  # the question and the training
    assert len(counts) == search.steps_per_epoch * tasks * twice * calls / 2


def test_a_path_that_is_drawn_twice_is_judged_once(fit_of, search_of):
    from tsunagu.search import Asng

    search = search_of(fit_of(choice(a=node("Linear", 3, 1), name="model"), epochs=1), Asng(samples=4))
    counts = _calls(search)
    search.run()
    assert len(counts) == search.steps_per_epoch * (1 + 4)
