"""A search with conditions as a trial: what it stores of its paths, and that it goes on in the same bytes."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from tsunagu.errors import ResumeError, SpecError
from tsunagu.metrics import parse_metric
from tsunagu.spec import Architecture, Folds, choice, condition, node, resolve, simplex
from tsunagu.tasks import conditions_of
from tsunagu.train import Training
from tsunagu.trials import PathScan, Store, Trial, point_of, run_trial
from tsunagu.trials.path_scan import read_paths, write_paths
from tsunagu.trials.searching import path_weights

FIRST = choice(mlp=node("TauMLP", hidden=[4]), scale=node("ScaleFactor"), name="first")
SECOND = [
    node("MLP", hidden=[4], outputs=6),
    choice(site=node("FiLMSite", 6), none=node("Identity"), name="site"),
    node("Linear", 6, 1),
    node("Flatten", 0),
]
AT = {"trade": {"classify": 0.8, "calibrate": 0.2}}


class Killed(BaseException):
    """Like a kill, nothing in the package catches it."""


@pytest.fixture
def space(pipeline_of):
    """Two choices, one of them inside a chain of layers, and a condition on the weights."""
    made = pipeline_of(FIRST, SECOND, epochs=2, pretrain=False, batch_size=72, checkpoint_seconds=0.0)
    tasks = {}
    for name, task in made.tasks.items():
        weight = condition("trade", simplex("calibrate", "classify"), part=name)
        loss = task.losses[0].model_copy(update={"weight": weight})
        tasks[name] = task.model_copy(update={"loss": loss})
    return made.model_copy(update={"tasks": tasks})


@pytest.fixture
def trial_of(space):
    return lambda key="Spos", **more: Trial(
        pipeline=space, folds=Folds(), seed=1, search=node(key), **{"at": AT} | more
    )


@pytest.fixture
def found(trial_of, table, tmp_path):
    store = Store(tmp_path / "found")
    return run_trial(trial_of(), table, store), store


def test_paths_are_stored_at_every_value(found):
    result, _ = found
    scan = result.paths()
    assert len(scan) == 21
    assert list(scan.metrics) == ["auc", "loss"]
    assert set(scan.architectures) == {
        Architecture({"first": first, "site": site})
        for first in ("mlp", "scale")
        for site in ("site", "none")
    }
    assert scan.conditions["trade.classify"].tolist() == pytest.approx(np.linspace(1.0, 0.0, 21).tolist())
    (place,) = np.flatnonzero(np.isclose(scan.conditions["trade.classify"], 0.8))
    with (result.path / "scores.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number = scan.architectures.index(Architecture({n: row[n] for n in ("first", "site")}))
            assert scan.metrics["auc"][number, place] == pytest.approx(float(row["validation_auc"]))
    assert scan.winners()[place] == Architecture(result.architecture)
    with pytest.raises(SpecError, match=r"there is no metric 'acu' .did you mean 'auc'"):
        scan.winners("acu")


@pytest.mark.parametrize("key", ["Spos", "Asng", "Darts", "Gdas"])
def test_killed_at_any_step_it_ends_in_the_same_bytes(key, trial_of, table, tmp_path):
    names = ("weights.safetensors", "scores.csv", "paths.csv", "trajectory.csv", "search.yaml")
    whole = run_trial(trial_of(key), table, Store(tmp_path / "whole"))
    for _ in range(99):
        left = iter(range(1))

        def step(_, left=left):
            if next(left, None) is None:
                raise Killed

        try:
            parts = run_trial(trial_of(key), table, Store(tmp_path / "parts"), on_step=step)
            break
        except Killed:
            continue
    assert all((parts.path / name).read_bytes() == (whole.path / name).read_bytes() for name in names)


def test_a_path_begins_with_the_weights_that_it_has_in_the_supernet(found, space, table):
    result, store = found
    chosen, weights = path_weights(store, result.digest)
    alone = Trial(pipeline=resolve(space, chosen), folds=Folds(), seed=1, begin=result.digest)
    fresh = Training(alone.pipeline, table, table.split(Folds()), seed=1)
    assert list(fresh.graph.state_dict()) == list(weights)
    again = run_trial(alone, table, store)
    assert again.scan(split="validation").metrics
    fresh.begin_with(weights, result.digest)
    assert all(torch.equal(v, weights[n]) for n, v in fresh.graph.state_dict().items())


def test_the_point_of_comparison_is_part_of_the_name(trial_of, table):
    trials = [trial_of(), trial_of(at={}), trial_of(at={"trade": {"classify": 0.5, "calibrate": 0.5}})]
    assert len({trial.digest(table) for trial in trials}) == 3


def test_a_search_without_conditions_has_no_paths_along_them(pipeline_of, table, tmp_path):
    plain = pipeline_of(FIRST, node("MLP", hidden=[4]), epochs=1, pretrain=False)
    result = run_trial(
        Trial(pipeline=plain, folds=Folds(), seed=1, search=node("Spos")), table, Store(tmp_path)
    )
    with pytest.raises(ResumeError, match="not the search of a supernet with conditions"):
        result.paths()


WRONG = {
    "no condition": ({"trad": 0.5}, "there is no condition 'trad' .did you mean 'trade'"),
    "no part": ({"trade": {"classify": 1.0}}, "expected a number for each of calibrate, classify"),
    "outside": ({"trade": {"classify": 1.5, "calibrate": -0.5}}, "is outside of what was trained"),
    "several": ({"trade": [[0.5, 0.5], [0.2, 0.8]]}, "expected one value of each condition, found 2"),
}


@pytest.mark.parametrize(("at", "words"), WRONG.values(), ids=WRONG)
def test_a_point_that_is_none_is_refused(at, words, space):
    with pytest.raises(SpecError, match=words):
        point_of(conditions_of(space), at)


@pytest.fixture
def made():
    """Of nested choices, with a metric that could not be computed."""
    return PathScan(
        architectures=(Architecture({"net": "cnn", "width": "8"}), Architecture({"net": "mlp"})),
        conditions={"a": np.array([0.1, 0.2, 0.7])},
        metrics={
            "bias": np.array([[-0.1, np.nan, 0.3], [0.2, 0.5, 0.1]]),
            "loss": np.array([[1.0, 1.0, 1.0], [2.0, 0.5, 1.0]]),
        },
        calls={"bias": parse_metric("bias(p, t)")},
    )


def test_what_is_written_is_read(made, tmp_path):
    write_paths(tmp_path / "paths.csv", made)
    again = read_paths(tmp_path / "paths.csv", made.calls)
    assert again.architectures == made.architectures
    for kind in ("conditions", "metrics"):
        one, other = getattr(again, kind), getattr(made, kind)
        assert list(one) == list(other)
        assert all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


def test_the_best_is_nearest_to_no_bias_and_of_the_smallest_loss(made):
    assert [each["net"] for each in made.winners()] == ["cnn", "mlp", "mlp"]
    assert [each["net"] for each in made.winners("loss")] == ["cnn", "mlp", "cnn"]
