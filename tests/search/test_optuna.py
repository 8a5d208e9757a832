"""Optuna's samplers, where Optuna is installed; and what is said where it is not."""

import sys

import pytest

from tsunagu.errors import ChoiceError
from tsunagu.search import Optuna


def loss(architecture):
    return sum(int(option) for option in architecture.values())


@pytest.fixture
def optuna():
    return pytest.importorskip("optuna", reason="needs optuna: pip install 'tsunagu[optuna]'")


def test_without_it_the_extra_is_named(monkeypatch, grid_of):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tsunagu\[optuna\]'"):
        Optuna().init(grid_of(2), 1)


@pytest.mark.parametrize("batch", [1, 4])
def test_it_finds_a_good_architecture(optuna, grid_of, run, batch):
    state = run(Optuna(evaluations=42, batch=batch), grid_of(4, 4, 4), loss)
    assert len(state.scored) == 42
    assert loss(Optuna().best(state)) <= 1
    late = [loss for _, loss in state.scored[21:]]
    assert sum(late) / 21 < 4.0  # 4.5 by chance


def test_other_samplers(optuna, grid_of, run):
    drawn = [
        run(Optuna(sampler=name), grid_of(4, 4), loss).scored for name in ("RandomSampler", "TPESampler")
    ]
    assert drawn[0] != drawn[1]
    with pytest.raises(ChoiceError, match=r"no sampler 'TPSampler' \(did you mean 'TPESampler'\?\)"):
        Optuna(sampler="TPSampler").init(grid_of(2), 1)


def test_what_failed_does_not_stop_it(optuna, nested, run):
    state = run(Optuna(evaluations=20), nested, lambda a: float("nan") if a["model"] == "cnn" else len(a))
    assert Optuna().best(state)["model"] != "cnn"


def test_a_new_study_is_no_news(optuna, grid_of, capfd):
    Optuna().ask(Optuna().init(grid_of(2), 1))
    assert capfd.readouterr().err == ""
