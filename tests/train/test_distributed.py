"""Two processes that share each batch end as one does. This one is the first of them; the other one follows it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field

import pytest
import torch
import torch.distributed as dist
from torch import nn

from tsunagu.errors import TsunaguError
from tsunagu.layers import Draws
from tsunagu.spec import Folds, node
from tsunagu.train import Population, Position, Training, World, distributed, here, joined
from tsunagu.train.synchronised import synchronise
from tsunagu.trials import Trial, leading
from tsunagu.trials.together import together

pytestmark = pytest.mark.skipif(not dist.is_available(), reason="this torch knows no other processes")
FOLLOWER = """
import sys
import torch
from tsunagu.data import open_table
from tsunagu.spec import Folds
from tsunagu.train import joined
from tsunagu.trials import follow

torch.set_num_threads(1)
columns = {"jet_p4": ["jet_pt", "jet_eta", "jet_phi", "jet_mass"], "is_higgs": "label"}
columns["true_tau_p4"] = ["tau_full_pt", "tau_full_eta", "tau_full_phi"]
table = open_table([sys.argv[1]], columns=columns, weight="weight", folds=Folds())
with joined("cpu"):
    follow(lambda fingerprint: table)
"""
DROPOUT = {"first": node("TauMLP", features=[8], hidden=[8], dropout=0.1), "second": node("MLP", dropout=0.2)}
# Without a bias: one before a normalisation has no gradient but rounding, which Adam makes as large as any other.
DENSE = node("Linear", in_features=6, out_features=8, bias=False)
NORM = [node("Flatten"), DENSE, node("BatchNorm1d", 8), node("Dropout", 0.2)]
JETS = [node("BatchNorm1d", 2), node("Flatten"), node("Linear", 6, 1)]
ALONE = {
    "five steps": {**DROPOUT, "epochs": 1, "pretrain": False},
    "dropout": {**DROPOUT, "epochs": 3},
    "batch norm": {"second": [*NORM, node("Linear", 8, 1)], "epochs": 3, "patience": 1},
    "batch norm of jets": {"second": JETS, "epochs": 2},
    "convolutions": {"first": node("TauCNN", channels=4, features=[4], hidden=[4]), "pretrain": False},
    "noise, clip and schedule": {
        "first": node("Noise", output=[2, 3]),
        "clip": 0.5,
        "schedule": node("cosine"),
    },
    "sampled and augmented": {
        **DROPOUT,
        "sampling": node("balanced", by="is_higgs"),
        "augment": [node("flip_eta", momenta=["jet_p4", "true_tau_p4"]), node("smear_energy")],
        "epochs": 1,
    },
    "MGDA by the weights": {**DROPOUT, "aggregate": node("mgda"), "pretrain": False, "epochs": 1},
    "MGDA by the features": {
        **DROPOUT,
        "aggregate": node("mgda", features=True),
        "pretrain": False,
        "epochs": 1,
    },
    "FAMO": {**DROPOUT, "aggregate": node("FAMO"), "pretrain": False, "epochs": 1},
    "GradNorm": {**DROPOUT, "aggregate": node("gradnorm"), "pretrain": False, "epochs": 2},
    "one event in the last batch": {**DROPOUT, "pretrain": False, "batch_size": "one is left"},
}
POPULATIONS = {"population": DROPOUT, "population of batch norm": ALONE["batch norm"]}
REFUSED = {
    "diverging": ({"optimizer": node("SGD", lr=1e30)}, "not a number"),
    "running numbers": (
        {"second": [node("InstanceNorm1d", num_features=2, track_running_stats=True), *JETS[1:]]},
        r"0\.running_mean.*train in one process",
    ),
}


@dataclass
class _Runs:
    """What two processes made of each case."""

    members: dict[str, list[Training]] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    states: dict[str, tuple[str, dict[str, torch.Tensor]]] = field(default_factory=dict)


def _pipeline(pipeline_of, split, settings):
    if settings.get("batch_size") == "one is left":
        events = len(split.train)
        settings = settings | {"batch_size": next(size for size in range(20, events) if events % size == 1)}
    return pipeline_of(**settings)


def _trainings(pipeline, table, split, seeds):
    return [Training(pipeline, table, split, seed=seed) for seed in seeds]


def _share(pipeline, members, on_step=None):
    trials = [Trial(pipeline=pipeline, folds=Folds(), seed=member.seed) for member in members]
    with together(trials, members):
        Population(members).run(on_step)


@pytest.fixture(scope="module")
def split(table):
    return table.split(Folds())


@pytest.fixture(scope="module")
def follower(sample_file):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    process = subprocess.Popen(
        [sys.executable, "-c", FOLLOWER, str(sample_file)],
        env=os.environ | place | {"RANK": "1", "LOCAL_RANK": "1", "OMP_NUM_THREADS": "1"},
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**place, "RANK": "0", "LOCAL_RANK": "0"}.items():
            patch.setenv(name, value)
        try:
            with joined("cpu"), leading():
                yield
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def runs(follower, pipeline_of, table, split):
    found = _Runs()
    cases = {**ALONE, **POPULATIONS, **{name: settings for name, (settings, _) in REFUSED.items()}}
    # Those that fail stand first: the others must not feel it.
    for name in sorted(cases, key=lambda name: name not in REFUSED):
        pipeline = _pipeline(pipeline_of, split, cases[name])
        members = _trainings(pipeline, table, split, (1, 2, 3) if name in POPULATIONS else (1,))
        steps = Counter()

        def keep(name=name, members=members, steps=steps):
            steps[name] += 1
            if steps[name] == 7:
                member = members[0]
                state = {key: value.clone() for key, value in member.tensors().items()}
                found.states[name] = (member.position.dumps(), state)

        try:
            _share(pipeline, members, keep)
        except TsunaguError as error:
            found.errors[name] = error
        found.members[name] = members
    (again,) = _trainings(_pipeline(pipeline_of, split, ALONE["dropout"]), table, split, [1])
    place, tensors = found.states["dropout"]
    again.restore(Position.loads(place), tensors)
    _share(again.pipeline, [again])
    found.members["resumed"] = [again]
    assert here().size == 2
    return found


@pytest.fixture
def alone(runs, monkeypatch, table, split):
    """The same trainings in one process."""
    monkeypatch.setattr(distributed, "_here", [World()])

    def train(name):
        pipeline = runs.members[name][0].pipeline
        members = _trainings(pipeline, table, split, [member.seed for member in runs.members[name]])
        for member in members:
            member.run()
        return members

    return train


@pytest.mark.parametrize("name", [*ALONE, *POPULATIONS])
def test_two_processes_end_as_one(name, runs, alone):
    tolerance = 1e-5 if name == "five steps" else 1e-4
    for ours, theirs in zip(runs.members[name], alone(name), strict=True):
        assert len(ours.position.history) == len(theirs.position.history)
        for row, other in zip(ours.position.history, theirs.position.history, strict=True):
            assert (row.stage, row.epoch, row.step) == (other.stage, other.epoch, other.step)
            assert row.train_loss == pytest.approx(other.train_loss, rel=tolerance)
            assert row.valid_loss == pytest.approx(other.valid_loss, rel=tolerance)
        expected = theirs.graph.state_dict()
        for key, value in ours.graph.state_dict().items():
            torch.testing.assert_close(value, expected[key], rtol=tolerance, atol=tolerance)


def test_it_goes_on_from_any_step_and_ends_in_the_same_bytes(runs):
    whole, resumed = (runs.members[name][0].graph.state_dict() for name in ("dropout", "resumed"))
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


@pytest.mark.parametrize("name", REFUSED)
def test_what_fails_in_both_fails_alone(name, runs):
    _, problem = REFUSED[name]
    with pytest.raises(TsunaguError, match=problem):
        raise runs.errors[name]


def test_the_statistics_are_those_of_the_whole_batch(runs):
    (net,) = (runs.members["batch norm"][0].graph.models["classify"][2:3],)
    assert type(net[0]).__name__ == "SharedBatchNorm"
    assert net[0].num_batches_tracked > 0


@pytest.mark.parametrize(("events", "size"), [(7, 3), (3, 3), (64, 2)])
def test_the_parts_of_a_batch_make_it_up(events, size):
    parts = [World(rank, size).part(events) for rank in range(size)]
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(events))
    assert not any(part.is_whole for part in parts)


def test_a_batch_that_is_too_small_is_everybodys():
    assert all(World(rank, 3).part(2).is_whole for rank in range(3))


class _Words:
    """What processes leave for each other, without the others."""

    def __init__(self):
        self.counts = Counter()

    def add(self, word, more):
        self.counts[word] += more
        return self.counts[word]


def test_a_process_that_fails_alone_ends(monkeypatch):
    monkeypatch.setattr(distributed, "GRACE", 0.1)
    words = _Words()
    worlds = [World(rank, 2, words) for rank in (0, 1)]
    with pytest.raises(SystemExit, match="process 1 of 2 fails where others do not, so all end: no room"):
        worlds[1].failed(MemoryError("no room"))
    with pytest.raises(SystemExit, match="process 0 of 2"):
        worlds[0].failed(RuntimeError("connection closed"))


def test_processes_that_fail_alike_go_on(monkeypatch):
    words = _Words()
    words.add("failed/0", 1)
    World(0, 2, words).failed(ValueError("as the other one"))


class _Own(nn.Module):
    def reseed(self, seed):
        self.generator = torch.Generator().manual_seed(seed)


class _Ours(nn.Module):
    def reseed(self, seed):
        self.draws = Draws(seed)


def test_random_numbers_that_cannot_be_shared_are_refused():
    fit = nn.Sequential(_Ours())
    fit[0].reseed(1)
    synchronise(fit)
    with pytest.raises(TsunaguError, match=r"0 \(_Own\).*tsunagu.layers.Draws"):
        synchronise(nn.Sequential(_Own()))
