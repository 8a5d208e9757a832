"""What a method chooses: by validation events alone, seed by seed, and written down with every seed's value."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.spec import choice, node
from tsunagu.studies import plan, run_study
from tsunagu.studies.selection import select
from tsunagu.studies.statistics import compare
from tsunagu.studies.tables import write_chosen, write_results, write_summary

costs = st.floats(allow_nan=True, allow_infinity=True)


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@given(st.lists(st.tuples(st.integers(0, 3), costs)))
def test_nothing_finite_is_better_than_what_is_chosen(items):
    found = select(items, place=lambda item: item[0], cost=lambda item: item[1])
    assert [item for each in found for item in each.tried] == sorted(
        items, key=lambda item: [place for place, _ in items].index(item[0])
    )
    for each in found:
        finite = [cost for _, cost in each.tried if math.isfinite(cost)]
        if len(each.tried) == 1:
            assert each.item == each.tried[0]
        elif finite:
            assert each.item[1] == min(finite)
        else:
            assert each.item is None


def test_of_equal_ones_the_first_is_chosen_and_nan_never():
    items = [("a", math.nan), ("b", 2.0), ("c", 2.0), ("d", math.inf)]
    (found,) = select(items, place=lambda _: 1, cost=lambda item: item[1])
    assert found.item == ("b", 2.0)


@pytest.fixture(scope="module")
def searched(study_of, pipeline_of, tmp_path_factory):
    out = tmp_path_factory.mktemp("searched")
    models = choice(mass=node("MassMLP"), mlp=node("MLP", hidden=[4]))
    vary = {"train.pretrain": {"grid, pretrained": True, "grid": False}}
    study = study_of(pipeline_of(second=models, epochs=1), vary=vary, seeds=2)
    return study, out, run_study(study, out, base=out)


def altered(rows, values):
    """The rows with other validation metrics, and test metrics that would choose the opposite."""
    return [
        replace(row, result=replace(row.result, metrics={"validation_auc": value, "test_auc": 1 - value}))
        for row, value in zip(rows, values, strict=True)
    ]


def test_the_best_on_the_validation_events_is_chosen_for_each_seed(searched, tmp_path):
    study, _, outcome = searched
    rows = altered(outcome.rows, [0.7, 0.8, 0.75, 0.6, 0.6, math.nan, 0.6, 0.9])
    assert [row.result.seed for row in rows] == [1, 2] * 4
    write_chosen(tmp_path / "chosen.csv", study, rows)
    found = read(tmp_path / "chosen.csv")
    assert [(row["method"], row["seed"], row["choice:tasks.classify.model"]) for row in found] == [
        ("grid, pretrained", "1", "mlp"),
        ("grid, pretrained", "2", "mass"),
        ("grid", "1", "mass"),
        ("grid", "2", "mlp"),
    ]
    assert [row["digest"] for row in found] == [rows[i].result.digest for i in (2, 1, 4, 7)]
    assert {row["tried"] for row in found} == {"2"}
    assert float(found[0]["seconds"]) == pytest.approx(rows[0].result.seconds + rows[2].result.seconds)
    assert list(found[0])[:3] == ["method", "seed", "choice:tasks.classify.model"]


def test_a_run_writes_what_was_chosen(searched):
    _, out, outcome = searched
    found, tried = read(out / "chosen.csv"), read(out / "results.csv")
    assert len(tried) == len(outcome.rows) == 8
    assert [(row["method"], row["seed"]) for row in found] == [
        (method, seed) for method in ("grid, pretrained", "grid") for seed in "12"
    ]
    for row in found:
        rivals = [r for r in tried if (r["method"], r["seed"]) == (row["method"], row["seed"])]
        assert row["validation_auc"] == max((r["validation_auc"] for r in rivals), key=float)


def test_the_summary_has_the_chosen_trials_and_all_architectures(searched):
    _, out, outcome = searched
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    found = read(out / "chosen.csv")
    for method in summary["methods"]:
        own = [row for row in found if row["method"] == method["method"]]
        assert method["trials"] == [row["digest"] for row in own]
        assert method["seeds"] == [1, 2]
        assert method["tried"] == 4
        assert method["metrics"]["test_auc"]["values"] == [float(row["test_auc"]) for row in own]
        (counts,) = method["choices"].values()
        assert sum(counts.values()) == 2
        assert [each["architecture"] for each in method["architectures"]] == [
            {"tasks.classify.model": option} for option in ("mass", "mlp")
        ]
    values = [
        v for m in summary["methods"] for a in m["architectures"] for v in a["metrics"]["test_auc"]["values"]
    ]
    assert values == [row.result.metrics["test_auc"] for row in outcome.rows]


def test_the_summary_compares_every_two_methods(searched):
    _, out, _ = searched
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    first, second = (method["metrics"]["test_auc"]["values"] for method in summary["methods"])
    (found,) = [each for each in summary["comparisons"] if each["metric"] == "test_auc"]
    expected = compare(dict(enumerate(first)), dict(enumerate(second)), lambda auc: -auc)
    assert (found["first"], found["second"], found["level"]) == ("grid, pretrained", "grid", 0.95)
    assert found["values"] == list(expected.differences.values)
    assert found["interval"] == list(expected.differences.interval)
    assert (found["pairs"], found["better"], found["worse"]) == (2, expected.better, expected.worse)


def test_a_study_without_choices_has_no_such_file(study_of, searched, tmp_path, table):
    _, _, outcome = searched
    plain = [
        replace(row, planned=replace(row.planned, trial=replace(row.planned.trial, architecture={})))
        for row in outcome.rows[:2]
    ]
    (tmp_path / "chosen.csv").write_text("of an earlier form of the study", encoding="utf-8")
    write_summary(tmp_path / "summary.json", study_of(), plain, [], table)
    assert not (tmp_path / "chosen.csv").exists()


FOLDS = {"first": {"test": 0, "validation": 1}, "second": {"test": 1, "validation": 2}}


@pytest.mark.parametrize("first", ["grid", "fixed"])
def test_a_method_that_is_fixed_chooses_nothing_though_its_trial_is_that_of_a_grid(
    study_of, pipeline_of, tmp_path, first
):
    methods = {"grid": {"train.pretrain": False}, "fixed": {"tasks.classify.model": node("MassMLP")}}
    methods = dict(sorted(methods.items(), key=lambda pair: pair[0] != first))
    chain = pipeline_of(second=choice(mass=node("MassMLP"), mlp=node("MLP", hidden=[4])), pretrain=False)
    run_study(study_of(chain, methods=methods), tmp_path, base=tmp_path)
    options = [(row["method"], row["choice:tasks.classify.model"]) for row in read(tmp_path / "results.csv")]
    assert sorted(options) == [("fixed", ""), ("grid", "mass"), ("grid", "mlp")]
    assert len({row["digest"] for row in read(tmp_path / "results.csv")}) == 2
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert {m["method"] for m in summary["methods"] if "choices" in m} == {"grid"}


def test_folds_repeat_a_method_and_make_none(study_of, tmp_path):
    vary = {"data.folds": FOLDS, "train.intermediate": {"chain": True, "end to end": False}}
    study = study_of(vary=vary, baselines={"visible mass": "auc(vis_mass, is_higgs)"})
    assert [(p.method, p.fold) for p in plan(study)] == [
        (method, fold) for fold in FOLDS for method in ("chain", "end to end")
    ]
    assert {p.method for p in plan(study_of(vary={"data.folds": FOLDS}))} == {"chain"}
    outcome = run_study(study, tmp_path, base=tmp_path)
    rows = read(tmp_path / "results.csv")
    assert [row["fold"] for row in rows] == ["first", "first", "second", "second", "first", "second"]
    assert "data.folds" not in rows[0]
    # The first fold's validation events are no one's, the second fold's are tested on: what is swapped agrees.
    assert rows[4]["validation_auc"] == rows[5]["test_auc"]
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary["methods"][0]["folds"] == ["first", "second"]
    assert [each["pairs"] for each in summary["comparisons"]] == [2]
    assert len(outcome.baselines) == 2


def test_the_table_can_be_written_without_rows_of_trials(study_of, tmp_path):
    write_results(tmp_path / "results.csv", [], [])
    write_chosen(tmp_path / "chosen.csv", study_of(), [])
    assert (tmp_path / "results.csv").read_text(
        encoding="utf-8"
    ) == "method,seed,seconds,cpu_seconds,digest\n"
