from __future__ import annotations

import doctest
import gc
import itertools
import json
import math
from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import __main__ as suite
from benchmarks import measure, memory, peak, results
from benchmarks.__main__ import main
from benchmarks.chain import BATCH, GRID, mlps, of_the_talk, own_weights
from benchmarks.engine import Together
from benchmarks.hand_loop import DrawnByHand, HandLoop, OneByOne
from benchmarks.losses import COSTS, Classifier
from benchmarks.measure import STEPS, STUDIES, Comparison, compare, quartiles
from benchmarks.peak import flops_of_step, gemm_peak
from benchmarks.rows import ROWS, Row
from benchmarks.studies import GridStudy, on_lightning
from benchmarks.supernet import DrawnPaths, EachPath, Tree
from tsunagu.spec import canonical
from tsunagu.studies import plan
from tsunagu.tasks import stages

CHAINS = {
    "mlps": mlps(),
    "own weights": own_weights(),
    "cnn lstm": of_the_talk("TauCNN", "LSTM"),
    "scale mass": of_the_talk("ScaleFactor", "MassMLP"),
}
each_chain = pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)

KEYS = {"ratio", "low", "high", "note"}
OURS = [9.0, 9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
THEIRS = [1.0, 1.0] + [2.0] * 9


class FakeClock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def _side(name, clock, costs, calls):
    left = iter(costs)

    def run(given):
        calls.append((name, gc.isenabled()))
        start = given()
        clock.now += next(left)
        return given() - start

    return run


@pytest.fixture(scope="module")
def measured():
    clock, calls = FakeClock(), []
    sides = _side("ours", clock, OURS, calls), _side("theirs", clock, THEIRS, calls)
    return compare(*sides, rounds=9, scale=replace(STEPS, clock=clock)), calls


def test_rounds_alternate_and_so_does_the_side_that_goes_first(measured):
    _, calls = measured
    order = [name for name, _ in calls]
    assert len(order) == 2 * (9 + STEPS.warm_up)
    assert order[:8] == ["ours", "theirs", "theirs", "ours"] * 2


def test_nothing_is_collected_while_a_side_runs_and_all_is_as_before_after(measured):
    _, calls = measured
    assert not any(collecting for _, collecting in calls)
    assert gc.isenabled()


def test_the_median_ratio_and_its_quartiles_leave_out_the_warm_up(measured):
    comparison, _ = measured
    assert (comparison.low, comparison.ratio, comparison.high) == (1.5, 2.5, 3.5)
    assert (comparison.ours, comparison.theirs, comparison.rounds) == (5.0, 2.0, 9)


def test_the_ratio_is_taken_round_by_round_and_not_of_the_medians():
    clock, calls = FakeClock(), []
    slow_machine = [1.0, 1.0] + [1.0, 10.0, 100.0] * 3
    sides = (_side(name, clock, [2.0 * c for c in slow_machine], calls) for name in ("ours", "theirs"))
    assert quartiles([1.0, 2.0, 4.0]) == (1.5, 2.0, 3.0)
    comparison = compare(*sides, rounds=9, scale=replace(STEPS, clock=clock))
    assert (comparison.low, comparison.ratio, comparison.high) == (1.0, 1.0, 1.0)


def test_a_study_is_run_without_a_warm_up_and_may_be_run_once():
    clock, calls = FakeClock(), []
    sides = _side("ours", clock, [3.0], calls), _side("theirs", clock, [6.0], calls)
    comparison = compare(*sides, rounds=1, scale=replace(STUDIES, clock=clock))
    assert (comparison.low, comparison.ratio, comparison.high, comparison.rounds) == (0.5, 0.5, 0.5, 1)


def test_too_few_rounds_and_a_clock_that_stands_still_are_errors():
    with pytest.raises(ValueError, match="at least 9 rounds"):
        compare(lambda _: 1.0, lambda _: 1.0, rounds=8)
    with pytest.raises(ValueError, match="did not advance"):
        compare(lambda _: 0.0, lambda _: 1.0, rounds=9)


@pytest.mark.parametrize(
    ("side", "loops"),
    [
        (Together([mlps()], 1, 400), 1),
        (Together([mlps()], 3, 400), 1),
        (HandLoop(mlps(), 400), 1),
        (OneByOne([mlps()], 6, 400, sample=2), 6),
        (DrawnPaths(mlps(), 400), 1),
        (DrawnByHand(mlps(), 3, 400), 1),
    ],
    ids=["one", "population", "by hand", "sample", "drawn", "drawn by hand"],
)
def test_a_side_reads_the_clock_around_an_epoch_and_divides_by_its_steps(side, loops):
    ticks = itertools.count()
    assert side(lambda: float(next(ticks))) == pytest.approx(loops / 4)
    assert next(ticks) == 2 * min(loops, 2)


def test_a_tree_predicts_what_its_paths_predict():
    tree = Tree(3, 2, (4, 4), repeat=3)
    one_by_one = EachPath(tree)
    pairs = list(zip(tree.run(), one_by_one.run(), strict=True))
    assert len(pairs) == 8
    for ours, theirs in pairs:
        assert ours.keys() == theirs.keys() == {"o0", "o1", "o2"}
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    ticks = itertools.count()
    assert tree(lambda: float(next(ticks))) == one_by_one(lambda: float(next(ticks))) == 1 / 3


@each_chain
def test_both_sides_lower_the_same_loss(chain):
    table, graph = chain.events(64), chain.graph()
    rows = table.take(chain.columns, torch.arange(64))
    made = graph(rows)
    ours = stages(chain.pipeline())[-1].loss(made, rows, table.train_weight)
    theirs = chain.by_hand(made["taus"], made["score"], rows[chain.truth], rows["is_higgs"])
    torch.testing.assert_close(ours, theirs)
    by_position = graph.models["calibrate"](*(rows[name] for name in chain.inputs))
    assert torch.equal(by_position, made["taus"])


@pytest.mark.parametrize(
    ("chain", "backends"),
    [("mlps", "batched"), ("own weights", "vmap"), ("cnn lstm", "loop, batched")],
)
def test_each_way_of_running_members_has_a_row(chain, backends):
    assert Together([CHAINS[chain]], 2, 200).backends() == backends
    kinds = [(row.members[0].first, row.members[0].second) for row in ROWS.values() if len(row.members) > 1]
    assert (CHAINS[chain].first, CHAINS[chain].second) in kinds


@pytest.mark.parametrize("name", ["mlps", "own weights", "cnn mlp"])
def test_the_arithmetic_of_a_step_is_what_torch_counts(name):
    """But for LSTMs, which torch does not count."""
    chain = CHAINS.get(name) or of_the_talk("TauCNN", "MLP")
    graph, rows = chain.graph(), chain.events(BATCH).columns
    with FlopCounterMode(display=False) as counter:
        made = graph({column: rows[column] for column in chain.inputs})
        chain.by_hand(made["taus"], made["score"], rows[chain.truth], rows["is_higgs"]).backward()
    assert flops_of_step(chain) == counter.get_total_flops()


def test_the_arithmetic_of_an_lstm_is_four_gates_of_its_inputs_and_its_state():
    layers = [(3, 32), (32, 32), (32, 32), (32, 1)]
    gates = sum(4 * out * (inputs + out) for inputs, out in layers)
    # On two taus an event; what the scale factor makes depends on its weights, so the first layer goes back too.
    assert flops_of_step(of_the_talk("ScaleFactor", "LSTM")) == 6 * BATCH * (2 * gates + 1)


def test_the_peak_is_the_best_of_the_sizes():
    # Two products of each size, which take a second for the smaller one and half of it for the larger one.
    ticks = iter([0.0, 0.9, 1.0, 1.0, 1.4, 1.5] * 5)
    assert gemm_peak((10, 20), clock=lambda: next(ticks)) == 2 * 2 * 20**3 / 0.5


def test_the_study_that_is_timed_is_the_grid_of_the_rows(tmp_path):
    ours = GridStudy(events=400, seeds=2, epochs=1, workers=None)
    trials = [planned.trial for planned in plan(ours.study)]
    assert len(trials) == ours.trainings == 18
    wanted = {canonical(chain.pipeline()) for chain in GRID}
    assert {canonical(trial.pipeline) for trial in trials} == wanted


def test_lightning_is_given_the_same_events_and_its_sample_is_scaled():
    pytest.importorskip("lightning")
    theirs = on_lightning(GridStudy(events=400, seeds=2, epochs=2, workers=None), sample=1)
    sizes = [len(rows) for rows in (theirs.split.train, theirs.split.validation, theirs.split.test)]
    assert sum(sizes) == 400
    assert sizes[0] > 280
    assert (len(theirs.chains), theirs.trainings, theirs.epochs) == (3, 18, 2)
    ticks = itertools.count()
    assert theirs(lambda: float(next(ticks))) == 18 / 3


def test_entries_are_merged_and_say_where_they_come_from(tmp_path, measured):
    path = tmp_path / "results.json"
    results.merge({"old": {"ratio": 1.0}, "new": {}}, path)
    results.merge({"new": results.entry(measured[0], STEPS, "what", results.machine())}, path)
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["old"] == {"ratio": 1.0}
    assert stored["new"]["ratio"] == 2.5
    for part in (
        "what; ",
        "5000000 over 2000000 us of CPU time a step",
        "9 alternating rounds",
        f"torch {torch.__version__}",
        "cores",
    ):
        assert part in stored["new"]["note"]


def test_an_entry_tells_rates_and_their_share_of_the_peak():
    work = results.Work(flops=4_000_000_000, backends="alone", peak=8e9, memory=2_500_000)
    comparison = Comparison(ratio=0.5, low=0.5, high=0.5, ours=1.0, theirs=2.0, rounds=1)
    made = results.entry(comparison, STUDIES, "what", "where", work)
    assert made["note"] == "what; 1.0 over 2.0 s of wall-clock time a study, 1 alternating round; where"
    assert {name: value for name, value in made.items() if name not in KEYS} == {
        "backends": "alone",
        "gflops": 4.0,
        "share_of_peak": 0.5,
        "their_gflops": 2.0,
        "their_share_of_peak": 0.25,
        "peak_gflops": 8.0,
        "peak_memory_mb": 2.5,
    }


def test_the_stored_results_are_well_formed():
    stored = json.loads(results.RESULTS.read_text(encoding="utf-8"))
    assert set(stored) <= set(ROWS)
    for row in stored.values():
        assert set(row) >= KEYS
        assert 0.0 < row["low"] <= row["ratio"] <= row["high"] < math.inf
        assert row["note"]


@pytest.mark.skipif(not memory.PROCESS.exists(), reason="only Linux tells")
def test_the_memory_of_a_population_is_measured_in_a_process_of_its_own():
    """Ten members of 10 251 weights with gradients, moments and best weights are 2 MB; their activations are more."""
    assert 2e6 < memory.peak_memory("population_10_mlp64") < 1e8


def test_a_measured_row_is_stored_with_its_work(tmp_path, monkeypatch, capsys):
    ours = Together([mlps()], 1, 100)
    row = Row(sides=lambda: (ours, lambda _: 1.0), rounds=9, target=1.0, note="what", members=[mlps()])
    monkeypatch.setitem(ROWS, "small", row)
    monkeypatch.setattr(suite, "gemm_peak", lambda: 1e11)
    monkeypatch.setattr(suite, "peak_memory", lambda name: 3_000_000)
    monkeypatch.setattr(suite, "merge", lambda made: results.merge(made, tmp_path / "results.json"))
    assert main(["small"]) == 0
    made = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["small"]
    assert (made["backends"], made["peak_memory_mb"], made["peak_gflops"]) == ("alone", 3.0, 100.0)
    assert made["their_gflops"] == pytest.approx(flops_of_step(mlps()) / 1e9, abs=0.01)
    assert "small" in capsys.readouterr().out


def test_a_study_on_a_busy_machine_is_warned_of_and_says_so(tmp_path, monkeypatch, capsys):
    row = Row(sides=lambda: (lambda _: 1.0, lambda _: 2.0), rounds=1, target=1.0, note="what", scale=STUDIES)
    monkeypatch.setitem(ROWS, "whole", row)
    monkeypatch.setattr(suite, "gemm_peak", lambda: 1e11)
    monkeypatch.setattr(suite, "load", lambda: 1.25)
    monkeypatch.setattr(suite, "merge", lambda made: results.merge(made, tmp_path / "results.json"))
    assert main(["whole"]) == 0
    made = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["whole"]
    assert "load average 1.25 at the start" in made["note"]
    assert "means little" in capsys.readouterr().out


def test_an_unknown_row_is_named_and_nothing_runs(capsys):
    assert main(["chain_step"]) == 2
    assert "chain_step_vs_hand_loop" in capsys.readouterr().out


@pytest.mark.parametrize("module", [measure, peak, results], ids=lambda m: m.__name__)
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("loss", [*COSTS, "cross_entropy"])
def test_each_loss_of_a_row_trains_its_classifier(loss):
    (ours,) = Together([Classifier(loss=loss)], 1, 400).members()
    ours.run()
    assert ours.steps_per_epoch == 4
    assert math.isfinite(ours.position.history[-1].valid_loss)
