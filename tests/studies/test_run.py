from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from tsunagu.errors import DataError, SpecError, TsunaguError
from tsunagu.spec import Data, Folds, LossTerm, Study, Task, choice, node
from tsunagu.studies import Watcher, check_study, needed_columns, plan, run_study, seeds


def _rows(out):
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def study(study_of):
    return study_of(
        vary={"train.intermediate": {"chain": True, "end to end": False}},
        baselines={"visible mass": "auc(vis_mass, is_higgs)"},
        seeds=2,
    )


def test_the_table_has_one_row_a_trial_and_the_baselines(study, tmp_path):
    outcome = run_study(study, tmp_path, base=tmp_path)
    rows = _rows(tmp_path)
    assert [(row["method"], row["seed"]) for row in rows] == [
        ("chain", "1"),
        ("chain", "2"),
        ("end to end", "1"),
        ("end to end", "2"),
        ("visible mass", ""),
    ]
    assert all(0.0 <= float(row["test_auc"]) <= 1.0 for row in rows)
    assert all((tmp_path / "trials" / row["digest"] / "result.json").exists() for row in rows[:4])
    assert len(outcome.rows) == 4
    assert not outcome.failures


def test_the_summary_keeps_every_seed(study, tmp_path):
    run_study(study, tmp_path, base=tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    chain = summary["methods"][0]["metrics"]["test_auc"]
    values = [float(row["test_auc"]) for row in _rows(tmp_path)[:2]]
    assert chain["values"] == pytest.approx(values)
    assert chain["mean"] == pytest.approx(sum(values) / 2)
    assert summary["metric"] == "auc"
    assert summary["metrics"] == {"auc": "auc(score, is_higgs)"}
    outputs = summary["outputs"]
    assert outputs["score"] == {"task": "classify", "loss": "binary", "target": "is_higgs", "before": None}
    assert outputs["tau_p4"]["before"] == "jet_p4"


def test_a_second_run_trains_nothing_and_writes_the_same_table(study, tmp_path):
    run_study(study, tmp_path, base=tmp_path)
    before, steps = (tmp_path / "results.csv").read_bytes(), []
    run_study(study, tmp_path, base=tmp_path, watcher=Watcher(step=steps.append))
    assert not steps
    assert (tmp_path / "results.csv").read_bytes() == before


def test_one_failure_leaves_the_other_trials(study_of, pipeline_of, tmp_path):
    chain = pipeline_of(optimizer=node("SGD", lr=1e-3))
    rates = {"calm": node("SGD", lr=1e-3), "wild": node("SGD", lr=1e30)}
    outcome = run_study(study_of(chain, vary={"train.optimizer": rates}), tmp_path, base=tmp_path)
    assert [row.planned.method for row in outcome.rows] == ["calm"]
    ((planned, error),) = outcome.failures
    assert planned.method == "wild"
    assert isinstance(error, TsunaguError)
    assert [row["method"] for row in _rows(tmp_path)] == ["calm"]


def test_a_choice_that_is_left_is_taken_in_full(study_of, pipeline_of, tmp_path):
    chain = pipeline_of(second=choice(mass=node("MassMLP"), mlp=node("MLP", hidden=[4])), epochs=1)
    run_study(study_of(chain), tmp_path, base=tmp_path)
    assert [row["choice:tasks.classify.model"] for row in _rows(tmp_path)] == ["mass", "mlp"]


def test_seeds_are_a_number_or_a_list(study_of):
    assert seeds(study_of(seeds=3)) == [1, 2, 3]
    assert seeds(study_of(seeds=[7, 9])) == [7, 9]
    assert [planned.trial.seed for planned in plan(study_of(seeds=[7, 9]))] == [7, 9]


def test_only_needed_columns_are_read(study):
    assert set(needed_columns(study)) == {"jet_image", "jet_p4", "true_tau_p4", "is_higgs", "vis_mass"}


def test_mistakes_are_found_before_anything_is_trained(study_of, pipeline_of, tmp_path):
    chain = pipeline_of(first=node("TauCNM"), optimizer=node("Adm"), schedule=node("cosin"))
    with pytest.raises(SpecError) as caught:
        run_study(study_of(chain, baselines={"m": "aucc(vis_mass, is_higgs)"}), tmp_path, base=tmp_path)
    assert len(caught.value.mistakes) == 4
    assert not (tmp_path / "trials").exists()


def test_columns_that_are_missing_are_found_before_anything_is_trained(study_of, tmp_path):
    study = study_of(baselines={"m": "auc(vismass, is_higgs)"})
    with pytest.raises(SpecError, match=r"baselines.m: .*'vismass'.*did you mean 'vis_mass'"):
        check_study(study, tmp_path)


def test_the_columns_of_the_baselines_are_stored(study, tmp_path, table):
    run_study(study, tmp_path, base=tmp_path)
    with np.load(tmp_path / "baselines.npz") as stored:
        columns = dict(stored)
    test = table.split(study.data.folds).test
    assert set(columns) == {
        f"{s}_{n}" for s in ("validation", "test") for n in ("vis_mass", "is_higgs", "weight")
    }
    assert np.array_equal(columns["test_vis_mass"], table.columns["vis_mass"][test].numpy())


def test_mistakes_of_names_and_of_columns_come_together(study_of, pipeline_of, tmp_path):
    chain = pipeline_of(first=node("TauCNM"), metrics=("bias(tau_p4, true_tau_p)",))
    with pytest.raises(SpecError) as caught:
        check_study(study_of(chain), tmp_path)
    assert [mistake.path for mistake in caught.value.mistakes] == [
        ("tasks", "calibrate", "model", "key"),
        ("metrics", 0),
    ]


def test_files_that_cannot_be_opened_come_with_the_mistakes(study_of, pipeline_of, tmp_path):
    study = study_of(pipeline_of(first=node("TauCNM")))
    lost = study.model_copy(update={"data": study.data.model_copy(update={"files": "lost.npz"})})
    with pytest.raises(SpecError, match=r"data.files: no file matches[\s\S]*TauCNM"):
        check_study(lost, tmp_path)


def test_a_ready_made_sample_is_found_by_its_name(study_of, tmp_path):
    study = study_of()
    columns = study.data.columns
    ready = study.data.model_copy(update={"files": "ready:htautau", "columns": columns})
    assert len(check_study(study.model_copy(update={"data": ready}), tmp_path).of(ready)) == 4000
    with pytest.raises(
        SpecError, match=r"data.files: .*no ready-made sample 'htautua' \(did you mean 'htautau'\?\)"
    ):
        check_study(
            study.model_copy(update={"data": ready.model_copy(update={"files": "ready:htautua"})}), tmp_path
        )


def test_every_option_of_an_optimiser_is_checked(study_of, pipeline_of, tmp_path):
    rates = choice(adam=node("Adam", lr=1e-3), bad=node("Adma"))
    with pytest.raises(SpecError, match=r"train.optimizer.choice.bad.key: unknown optimizer 'Adma'"):
        check_study(study_of(pipeline_of(optimizer=rates)), tmp_path)


def test_fractions_of_classes_are_kept_and_classes_need_be_no_target(study_of, tmp_path):
    study = study_of(vary={"data.keep": {"all": {}, "few": {"label": {1: 0.2}}}})
    whole, few = (len(table) for table in check_study(study, tmp_path).opened.values())
    assert few < 0.75 * whole
    train = study.train.model_copy(update={"sampling": node("balanced", by="label")})
    (table,) = check_study(study.model_copy(update={"train": train, "vary": {}}), tmp_path).opened.values()
    assert "label" in table.columns


def test_folds_of_one_number_share_a_table_and_each_is_checked(study_of, tmp_path):
    study = study_of(
        vary={"data.folds.test": {"first": 0, "third": 2}, "data.folds.k": {"five": 5, "six": 6}}
    )
    assert len(check_study(study, tmp_path).opened) == 2
    numbers = np.arange(12)  # with 5 folds the last one has no event
    np.savez(tmp_path / "few.npz", event_number=numbers, x=np.ones(12, "f4"), z=np.ones(12, "f4"))
    task = Task(inputs=["x"], output="y", model=node("Identity"), loss=LossTerm(key="mse", target="z"))
    few = Study(data=Data(files="few.npz", folds=Folds(rotate=True)), tasks={"t": task}, metric="mse(y, z)")
    with pytest.raises(DataError, match=r"few.npz: the \w+ split \(fold 4 of 5\) has no event"):
        check_study(few, tmp_path)
