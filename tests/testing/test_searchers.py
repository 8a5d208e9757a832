"""The contract finds what breaks it."""

from dataclasses import dataclass, replace

import pytest

from tsunagu.errors import ChoiceError
from tsunagu.search import Darts, Gdas, Mixture, Paths, Random, Scores, Searcher, Space
from tsunagu.spec import Architecture, choice
from tsunagu.testing import check_searcher_contract, made_up_answer

SPACE = Space({"model": choice(cnn=choice(8, 16, name="width"), mlp=0), "lr": choice(0.1, 0.01)})


@dataclass(frozen=True, kw_only=True)
class Broken(Searcher):
    """Random search with one fault."""

    fault: str
    calls: list

    def init(self, space, seed):
        return Scores(space=space, seed=seed)

    def ask(self, state):
        self.calls.append(0)
        (drawn,) = Random(evaluations=1).ask(Scores(space=state.space, seed=state.seed)).architectures
        if self.fault == "closed":
            drawn = Architecture({"model": "mlp", "width": "8", "lr": "0.1"})
        if self.fault == "draws":
            drawn = [*state.space.all()][len(self.calls) % 3]
        return Paths(
            () if self.fault == "nothing" else (drawn,), budget=2.0 if self.fault == "budget" else 1.0
        )

    def tell(self, state, asked, answer):
        self.calls.append(0)
        if self.fault == "learns":
            return replace(
                state, step=state.step + 1, scored=((asked.architectures[0], float(len(self.calls))),)
            )
        return state if self.fault == "step" else state.told(asked, answer)

    def best(self, state):
        return Architecture({"lr": "0.1"} if self.fault == "best" else next(state.space.all()))

    def done(self, state):
        return False


@pytest.mark.parametrize(
    ("fault", "error", "match"),
    [
        ("closed", ChoiceError, "width: this choice is not open here"),
        ("draws", AssertionError, "asks something else the second time"),
        ("nothing", AssertionError, "nothing is asked"),
        ("budget", AssertionError, "share of a full training, found 2.0"),
        ("learns", AssertionError, "a resumed search learns something else"),
        ("step", AssertionError, "does not count"),
        ("best", ChoiceError, "model: not decided"),
    ],
)
def test_a_fault_is_found(fault, error, match):
    with pytest.raises(error, match=match):
        check_searcher_contract(Broken(fault=fault, calls=[]), SPACE)


def test_without_a_fault_none_is_found():
    check_searcher_contract(Broken(fault="", calls=[]), SPACE)


def test_answers_are_made_up_from_what_is_asked_alone():
    paths = Paths(tuple(SPACE.all()))
    losses = made_up_answer(paths, 1)
    assert len(set(losses)) == SPACE.count
    assert losses == made_up_answer(paths, 1) != made_up_answer(paths, 2)
    weights = Darts().ask(Darts().init(SPACE, 1)).weights
    assert {n: len(g) for n, g in made_up_answer(Mixture(weights), 1).items()} == {
        "model": 2,
        "width": 2,
        "lr": 2,
    }


def test_weights_that_are_no_mixture_are_found(monkeypatch):
    whole = Gdas.ask
    monkeypatch.setattr(
        Gdas, "ask", lambda self, s: Mixture({n: 2 * w for n, w in whole(self, s).weights.items()})
    )
    with pytest.raises(AssertionError, match=r"model: the weights add up to 2\.0"):
        check_searcher_contract(Gdas(), SPACE)
