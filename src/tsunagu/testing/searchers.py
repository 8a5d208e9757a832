"""The contract of a searcher."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from tsunagu.random import derive_seed
from tsunagu.search import HasDistribution, Mixture, Paths, Searcher, Space, TrainsPaths, from_data, to_data

__all__ = ["check_searcher_contract", "made_up_answer"]

AnySearcher = Searcher[Any, Any, Any]
Asked = Paths | Mixture


def check_searcher_contract(searcher: AnySearcher, space: Space, *, seed: int = 1, rounds: int = 6) -> None:
    """A search of a few rounds with made-up answers, and what must hold all along.

    It asks and trains legal architectures only; mixture weights have one number for each option and the sum 1;
    the same state always asks the same; a state that was written and read goes on as the original does; a state is
    not changed by an answer; the best architecture is legal, and probabilities add up.

    Args:
        searcher: with any settings.
        space: best one with choices inside options.
        seed: of the search.
        rounds: how many questions, fewer where the search is done before.

    Raises:
        AssertionError: the contract is broken; the message says by what.
        ChoiceError: an architecture that is not legal was asked, or named the best.

    >>> from tsunagu.search import Evolution
    >>> from tsunagu.spec import choice
    >>> check_searcher_contract(Evolution(), Space({"lr": choice(0.1, 0.01), "depth": choice(a=choice(1, 2), b=3)}))
    """
    state = searcher.init(space, seed)
    for _ in range(rounds):
        if searcher.done(state):
            break
        asked = searcher.ask(state)
        _check_asked(space, asked)
        _check_training(searcher, state)
        _check_equal(searcher, state, asked)
        state = _told(searcher, state, asked)
        _check_best(searcher, state)
        assert state.step > 0, "the step of the state does not count the answers"


def made_up_answer(asked: Asked, seed: int) -> list[float] | dict[str, Tensor]:
    """An answer that depends on what is asked and on nothing else: losses, or gradients by the mixture weights."""
    if isinstance(asked, Paths):
        return [derive_seed(seed, json.dumps(sorted(path.items()))) / 2.0**63 for path in asked.architectures]
    return {
        label: torch.sin(1.0 + 7.0 * torch.arange(len(weights)) + derive_seed(seed, label) % 100)
        for label, weights in asked.weights.items()
    }


def _told(searcher: AnySearcher, state: Any, asked: Asked) -> Any:
    plain, tensors = to_data(state)
    before = plain, {name: value.clone() for name, value in tensors.items()}
    answer = made_up_answer(asked, state.seed)
    after = searcher.tell(state, asked, answer)
    assert _same_data(to_data(state), before), "tell changed the state that it was given"
    again = searcher.tell(_resumed(searcher, state), asked, answer)
    assert _same_data(to_data(after), to_data(again)), "a resumed search learns something else from an answer"
    return after


def _check_asked(space: Space, asked: Asked) -> None:
    if isinstance(asked, Paths):
        assert asked.architectures, "nothing is asked, although the search is not done"
        assert 0.0 < asked.budget <= 1.0, f"the budget is a share of a full training, found {asked.budget}"
        for architecture in asked.architectures:
            space.check(architecture)
        return
    assert asked.weights.keys() == space.options.keys(), "mixture weights for other labels than the space has"
    for label, weights in asked.weights.items():
        shape = (len(space.options[label]),)
        assert weights.shape == shape, f"{label}: weights of shape {tuple(weights.shape)}, expected {shape}"
        assert abs(float(weights.sum()) - 1.0) < 1e-9, (
            f"{label}: the weights add up to {float(weights.sum())}"
        )


def _check_training(searcher: AnySearcher, state: Any) -> None:
    if not isinstance(searcher, TrainsPaths):
        return
    for step in range(3):
        paths = searcher.ask_training(state, step)
        assert paths, "no path to train"
        assert paths == searcher.ask_training(state, step), (
            "the paths to train are not a function of the step"
        )
        for path in paths:
            state.space.check(path)


def _check_equal(searcher: AnySearcher, state: Any, asked: Asked) -> None:
    assert _same(asked, searcher.ask(state)), "the same state asks something else the second time"
    assert _same(asked, searcher.ask(_resumed(searcher, state))), "a resumed search asks something else"
    if state.step == 0:
        assert _same(asked, searcher.ask(searcher.init(state.space, state.seed))), (
            "a new search with the same seed asks something else"
        )


def _check_best(searcher: AnySearcher, state: Any) -> None:
    best = searcher.best(state)
    state.space.check(best)
    assert searcher.best(_resumed(searcher, state)) == best, (
        "a resumed search names another architecture the best"
    )
    if isinstance(searcher, HasDistribution):
        for label, options in searcher.distribution(state).items():
            total = sum(options.values())
            assert abs(total - 1.0) < 1e-9, f"{label}: the probabilities add up to {total}"


def _resumed(searcher: AnySearcher, state: Any) -> Any:
    plain, tensors = to_data(state)
    return from_data(searcher, state.space, json.loads(json.dumps(plain, allow_nan=False)), tensors)


def _same(one: Asked, other: Asked) -> bool:
    if isinstance(one, Paths):
        return one == other
    return isinstance(other, Mixture) and _same_tensors(one.weights, other.weights)


def _same_data(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    return bool(one[0] == other[0]) and _same_tensors(one[1], other[1])


def _same_tensors(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
