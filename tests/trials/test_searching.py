"""A search as a trial: what it leaves, that an interruption changes no byte, and that a path can go on from it."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import torch

from tsunagu.data import Table
from tsunagu.errors import ResumeError
from tsunagu.spec import Folds, choice, node, resolve
from tsunagu.tasks import build_graph
from tsunagu.train import Training
from tsunagu.trials import Store, Trial, load_graph, populations, read_tensors, run_group, run_trial
from tsunagu.trials.searching import path_weights

SEARCHERS = [
    node("Spos"),
    node("Spos", fair=True),
    node("Asng", delta0=0.3),
    node("Enas"),
    node("Darts"),
    node("Gdas"),
]
SAME = (
    "weights.safetensors",
    "scores.csv",
    "trajectory.csv",
    "architecture.yaml",
    "spec.yaml",
    "search.yaml",
)
FIRST = choice(mlp=node("TauMLP", hidden=[4]), scale=node("ScaleFactor"))
SECOND = choice(mass=node("MassMLP", hidden=[4]), mlp=node("MLP", hidden=[4], dropout=0.2))
each_searcher = pytest.mark.parametrize("searcher", SEARCHERS, ids=str)


class Killed(BaseException):
    """Like a kill, nothing in the package catches it."""


@pytest.fixture
def space(pipeline_of):
    settings = {"epochs": 2, "pretrain_epochs": 1, "batch_size": 72, "checkpoint_seconds": 0.0}
    return pipeline_of(FIRST, SECOND, **settings)


@pytest.fixture
def trial_of(space):
    return lambda searcher, **changes: Trial(
        pipeline=space, folds=Folds(), seed=1, search=searcher, **changes
    )


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _bytes(result):
    return {name: (result.path / name).read_bytes() for name in SAME}


@each_searcher
def test_a_search_leaves_what_it_chose_and_why(searcher, trial_of, table, tmp_path):
    result = run_trial(trial_of(searcher), table, Store(tmp_path))
    assert {path.name for path in result.path.iterdir()} == {
        *SAME,
        "history.csv",
        "seen.json",
        "result.json",
        "environment.json",
    }
    scores = _rows(result.path / "scores.csv")
    assert len(scores) == 4
    chosen = [row for row in scores if result.architecture.items() <= row.items()]
    assert [float(row["validation_auc"]) for row in chosen] == [result.metrics["validation_auc"]]
    trajectory = _rows(result.path / "trajectory.csv")
    assert len(trajectory) == (0 if searcher.key == "Spos" else 2 * 4)
    assert ("confidence" in result.metrics) == (searcher.key != "Spos")
    assert result.epochs == {"pretrain calibrate": (1, 1), "pretrain classify": (1, 1), "joint": (2, 2)}
    assert result.parameters["calibrate"] > 1
    assert result.cpu_seconds > 0


def test_a_supernet_is_no_graph_to_load(trial_of, table, tmp_path):
    result = run_trial(trial_of(node("Spos")), table, Store(tmp_path))
    with pytest.raises(ResumeError, match="a search, whose supernet is no pipeline"):
        load_graph(result.path)


def test_no_test_event_is_read(trial_of, table, tmp_path, monkeypatch):
    read, take = set(), Table.take

    def noted(self, names, rows, *args, **kwargs):
        read.update(rows.flatten().tolist())
        return take(self, names, rows, *args, **kwargs)

    monkeypatch.setattr(Table, "take", noted)
    run_trial(trial_of(node("Asng")), table, Store(tmp_path))
    split = table.split(Folds())
    assert set(split.validation.tolist()) <= read
    assert not read & set(split.test.tolist())


def _killed_every(steps, trial, table, store):
    """Run the trial again and again, each time so many steps further, until it ends."""
    for killed in count():
        left = iter(range(steps))

        def step(_, left=left):
            if next(left, None) is None:
                raise Killed

        try:
            return run_trial(trial, table, store, on_step=step), killed
        except Killed:
            continue
    raise AssertionError


@each_searcher
@pytest.mark.parametrize("steps", [1, 4])
def test_killed_at_any_step_it_ends_in_the_same_bytes(steps, searcher, trial_of, table, tmp_path):
    whole = run_trial(trial_of(searcher), table, Store(tmp_path / "whole"))
    parts, killed = _killed_every(steps, trial_of(searcher), table, Store(tmp_path / "parts"))
    assert killed >= 2
    assert _bytes(parts) == _bytes(whole)
    assert parts.metrics == whole.metrics


@pytest.mark.parametrize("place", [(os, "fsync"), (Path, "rename")], ids=lambda place: place[1])
def test_killed_at_every_write_in_turn(place, trial_of, table, tmp_path, monkeypatch):
    trial = trial_of(node("Asng"))
    whole = run_trial(trial, table, Store(tmp_path / "whole"))
    store, left, original = Store(tmp_path / "parts"), [0], getattr(*place)

    def guarded(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return original(*args, **kwargs)

    monkeypatch.setattr(*place, guarded)
    for turn in range(1, 80):
        left[0] = turn
        try:
            parts = run_trial(trial, table, store)
            break
        except Killed:
            continue
    assert turn > 1
    assert _bytes(parts) == _bytes(whole)
    assert not list(store.root.rglob("*.part"))


def test_a_search_is_never_in_step_with_anything(trial_of, space):
    plain = Trial(
        pipeline=resolve(space, {"tasks.calibrate.model": "scale", "tasks.classify.model": "mass"}),
        folds=Folds(),
        seed=1,
    )
    trials = [trial_of(node("Asng")), plain, trial_of(node("Asng", delta0=0.3)), replace(plain, seed=2)]
    assert sorted(populations(trials)) == [[0], [1, 3], [2]]


def test_the_searcher_and_the_beginning_are_part_of_the_name(trial_of, table):
    trials = [
        trial_of(None),
        trial_of(node("Asng")),
        trial_of(node("Asng", delta0=0.3)),
        trial_of(None, begin="a"),
        trial_of(None, begin="b"),
    ]
    assert len({trial.digest(table) for trial in trials}) == len(trials)


@pytest.fixture
def found(trial_of, table, tmp_path):
    """Two searches of different outcome in weights, and the store they are in."""
    store = Store(tmp_path / "found")
    return [run_trial(trial_of(node(key)), table, store) for key in ("Asng", "Spos")], store


def _again(space, begin, **changes):
    architecture = {"tasks.calibrate.model": "mlp", "tasks.classify.model": "mass"}
    pipeline = resolve(space, architecture)
    train = pipeline.train.model_copy(update={"pretrain": False, **changes})
    pipeline = pipeline.model_copy(update={"train": train})
    return Trial(pipeline=pipeline, folds=Folds(), seed=1, begin=begin)


def _choose(result, architecture):
    """Let the search have come to another architecture."""
    path = result.path / "result.json"
    path.write_text(replace(result, architecture=architecture).dumps(), encoding="utf-8")


WANTED = {"tasks.calibrate.model": "mlp", "tasks.classify.model": "mass"}


def test_a_path_begins_with_the_weights_that_it_has_in_the_supernet(found, space, table):
    (search, _), store = found
    _choose(search, WANTED)
    chosen, weights = path_weights(store, search.digest)
    assert dict(chosen) == WANTED
    stored, _ = read_tensors(search.path / "weights.safetensors")
    assert all(any(torch.equal(own, other) for other in stored.values()) for own in weights.values())
    trial = _again(space, search.digest, epochs=0)
    result = run_trial(trial, table, store)
    kept, _ = read_tensors(result.path / "weights.safetensors")
    fresh = build_graph(trial.pipeline, seed=1).state_dict()
    assert all(torch.equal(kept[name], weights[name]) for name in fresh)
    assert any(not torch.equal(kept[name], fresh[name]) for name in fresh)


def test_beginnings_are_not_mistaken_for_each_other_in_a_group(found, space, table, tmp_path):
    searches, store = found
    for search in searches:
        _choose(search, WANTED)
    trials = [_again(space, search.digest) for search in searches] + [_again(space, None)]
    together = run_group(trials, table, store)
    alone = Store(tmp_path / "alone")
    for search in searches:
        alone.root.mkdir(exist_ok=True)
        (alone.root / search.digest).symlink_to(search.path)
    for trial, result in zip(trials, together, strict=True):
        other = run_trial(trial, table, alone)
        assert result.metrics == pytest.approx(other.metrics, rel=1e-4)
    assert len({result.metrics["validation_auc"] for result in together}) == 3


def test_a_beginning_that_was_interrupted_ends_in_the_same_bytes(found, space, table, tmp_path):
    (search, _), store = found
    _choose(search, WANTED)
    trial = _again(space, search.digest)
    parts, killed = _killed_every(2, trial, table, store)
    other = Store(tmp_path / "other")
    other.root.mkdir()
    (other.root / search.digest).symlink_to(search.path)
    whole = run_trial(trial, table, other)
    assert killed >= 1
    assert (parts.path / "weights.safetensors").read_bytes() == (
        whole.path / "weights.safetensors"
    ).read_bytes()


def test_a_beginning_that_is_not_there_is_named(space, table, tmp_path):
    with pytest.raises(ResumeError, match=r"0123: no such search"):
        run_trial(_again(space, "0123"), table, Store(tmp_path))


def test_weights_of_another_pipeline_are_refused(found, space, table):
    (search, _), store = found
    _choose(search, {**WANTED, "tasks.calibrate.model": "scale"})
    with pytest.raises(ResumeError, match="not those of this pipeline"):
        run_trial(_again(space, search.digest), table, store)


def test_a_training_that_has_begun_elsewhere_has_a_stage_of_its_own(space, table):
    pipeline = _again(space, None).pipeline
    one, other = (Training(pipeline, table, table.split(Folds()), seed=1) for _ in range(2))
    assert one.stage_key == other.stage_key
    other.begin_with(one.graph.state_dict(), "elsewhere")
    assert one.stage_key != other.stage_key
