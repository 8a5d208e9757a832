from __future__ import annotations

import doctest
import gc
import itertools
import json
import math

import pytest
import torch

from benchmarks import measure, results
from benchmarks.__main__ import main
from benchmarks.chain import COLUMNS, EngineLoop, make_graph, make_pipeline, make_table, torch_loss
from benchmarks.hand_loop import HandLoop
from benchmarks.measure import WARM_UP, compare, quartiles
from benchmarks.rows import ROWS
from tsunagu.tasks import stages

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
    return compare(*sides, rounds=9, clock=clock), calls


def test_rounds_alternate_and_so_does_the_side_that_goes_first(measured):
    _, calls = measured
    order = [name for name, _ in calls]
    assert len(order) == 2 * (9 + WARM_UP)
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
    comparison = compare(*sides, rounds=9, clock=clock)
    assert (comparison.low, comparison.ratio, comparison.high) == (1.0, 1.0, 1.0)


def test_too_few_rounds_and_a_clock_that_stands_still_are_errors():
    with pytest.raises(ValueError, match="at least 9 rounds"):
        compare(lambda _: 1.0, lambda _: 1.0, rounds=8)
    with pytest.raises(ValueError, match="did not advance"):
        compare(lambda _: 0.0, lambda _: 1.0, rounds=9)


@pytest.mark.parametrize("loop", [EngineLoop, HandLoop])
def test_a_loop_reads_the_clock_around_one_epoch_and_divides_by_its_steps(loop):
    ticks = itertools.count()
    assert loop(400)(lambda: float(next(ticks))) == 1.0 / 4
    assert next(ticks) == 2


def test_both_sides_lower_the_same_loss():
    table, graph = make_table(64), make_graph()
    rows = table.take(COLUMNS, torch.arange(64))
    made = graph(rows)
    ours = stages(make_pipeline())[-1].loss(made, rows, table.train_weight)
    theirs = torch_loss(made["taus"], made["score"], rows["true_taus"], rows["is_higgs"])
    torch.testing.assert_close(ours, theirs)


def test_entries_are_merged_and_say_where_they_come_from(tmp_path, measured):
    path = tmp_path / "results.json"
    results.merge({"old": {"ratio": 1.0}, "new": {}}, path)
    results.merge({"new": results.entry(measured[0], "what", results.machine())}, path)
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["old"] == {"ratio": 1.0}
    assert stored["new"]["ratio"] == 2.5
    for part in ("what; ", "9 alternating rounds", f"torch {torch.__version__}", "cores"):
        assert part in stored["new"]["note"]


def test_the_stored_results_are_well_formed():
    stored = json.loads(results.RESULTS.read_text(encoding="utf-8"))
    assert set(stored) == set(ROWS)
    for row in stored.values():
        assert set(row) == {"ratio", "low", "high", "note"}
        assert 0.0 < row["low"] <= row["ratio"] <= row["high"] < math.inf
        assert row["note"]


def test_an_unknown_row_is_named_and_nothing_runs(capsys):
    assert main(["chain_step"]) == 2
    assert "chain_step_vs_hand_loop" in capsys.readouterr().out


@pytest.mark.parametrize("module", [measure, results], ids=lambda m: m.__name__)
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0
