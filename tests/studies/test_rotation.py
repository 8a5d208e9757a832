"""Every event is scored once, by a model that has not seen it; and what breaks that is found."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from tsunagu.data import fold_of
from tsunagu.errors import DataError, SpecError, TsunaguError
from tsunagu.metrics import parse_metric
from tsunagu.spec import Data, Folds, LossTerm, Study, Task, Train, node, variations
from tsunagu.studies import check_study, plan, run_study
from tsunagu.studies.leaks import rotation_leaks, training_leaks
from tsunagu.studies.out_of_fold import assembled, rotations
from tsunagu.trials import StageSeen, as_declared, read_seen

K = 5
EVENTS = 240
ROTATED = Folds(k=K, rotate=True)


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """Events whose labels no honest model can know: they are drawn, and every event has a name."""
    draw = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("noise") / "noise.npz"
    number = np.arange(EVENTS) + 77
    np.savez(path, event_number=number, name=np.arange(EVENTS), label=draw.integers(0, 2, EVENTS))
    return path


def memorising(path, **fields):
    """Task 1 learns the label of every event by heart, Task 2 reads what it says."""
    by_heart = [node("Embedding", EVENTS, 1), node("Flatten", 0)]
    tasks = {
        "remember": Task(
            inputs=["name"], output="told", model=by_heart, loss=LossTerm(key="binary", target="label")
        ),
        "classify": Task(
            inputs=["told"],
            output="score",
            model=node("Softsign"),
            loss=LossTerm(key="binary", target="label"),
        ),
    }
    train = Train(pretrain=False, epochs=4, patience=None, batch_size=32, optimizer=node("Adam", lr=2.0))
    fields = {"data": Data(files=str(path), folds=ROTATED), "seeds": 1} | fields
    return Study(tasks=tasks, train=train, metric="auc(score, label)", **fields)


@pytest.fixture(scope="module")
def memorised(noise, tmp_path_factory):
    out = tmp_path_factory.mktemp("memorised")
    return out, run_study(memorising(noise), out, base=noise.parent)


def auc(score, label):
    return parse_metric("auc(s, y)").evaluate({"s": score, "y": label}, None)


def test_a_rotation_is_k_trainings_of_each_method_and_seed(study_of):
    study = study_of(seeds=2, vary={"train.intermediate": {"chain": True, "end to end": False}})
    study = study.model_copy(update={"data": study.data.model_copy(update={"folds": ROTATED})})
    planned = list(plan(study))
    assert len(planned) == 2 * 2 * K
    assert {each.method for each in planned} == {"chain", "end to end"}
    assert {(p.fold, p.trial.folds.test, p.trial.folds.validation) for p in planned} == {
        ("0", 0, 1),
        ("1", 1, 2),
        ("2", 2, 3),
        ("3", 3, 4),
        ("4", 4, 0),
    }
    assert not any(each.trial.folds.rotate for each in planned)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"vary": {"data.folds.test": {"a": 0, "b": 1}}}, "vary.data.folds.test"),
        ({"methods": {"a": {"data.folds": {"k": 4}}}}, "methods.a.data.folds"),
    ],
)
def test_folds_are_not_rotated_and_varied_at_once(noise, fields, place):
    with pytest.raises(SpecError, match=f"{place}: data.folds.rotate varies the folds already"):
        variations(memorising(noise, **fields))


def test_a_trial_of_a_rotation_is_the_trial_that_a_study_of_these_folds_has(noise, table):
    (_, turn), *_ = variations(memorising(noise))
    alone = memorising(noise, data=Data(files=str(noise), folds=Folds(k=K)))
    assert next(plan(turn)).trial.digest(table) == next(plan(alone)).trial.digest(table)


def test_every_event_is_scored_once_by_the_model_of_its_fold(memorised, noise):
    out, outcome = memorised
    (line,) = read(out / "out_of_fold.csv")
    assert int(line["events"]) == EVENTS
    stored, events = np.load(out / line["file"]), np.load(noise)
    np.testing.assert_array_equal(stored["event_number"], events["event_number"])
    np.testing.assert_array_equal(stored["fold"], fold_of(events["event_number"], K))
    np.testing.assert_array_equal(stored["label"], events["label"])
    for row in outcome.rows:
        own = stored["fold"] == row.planned.trial.folds.test
        scored = np.load(row.result.path / "predictions.npz")
        by_number = dict(
            zip(scored["test_event_number"].tolist(), scored["test_score"].tolist(), strict=True)
        )
        assert [by_number[n] for n in stored["event_number"][own].tolist()] == stored["score"][own].tolist()


def test_what_was_learnt_by_heart_is_worth_nothing_out_of_fold_and_all_if_it_leaks(memorised):
    out, outcome = memorised
    (line,) = read(out / "out_of_fold.csv")
    stored = np.load(out / line["file"])
    honest = auc(stored["score"], stored["label"])
    # The same models on events that are their validation events are honest, too; on what they were trained on they are not.
    first = outcome.rows[0]
    weights = np.load(first.result.path / "predictions.npz")
    assert 0.35 < auc(weights["validation_score"], weights["validation_label"]) < 0.65
    assert 0.35 < honest < 0.65
    assert float(line["auc"]) == pytest.approx(honest)
    leaking = leaking_column(first, stored)
    assert auc(leaking, stored["label"]) > 0.75


def leaking_column(row, stored):
    """Scores of one model for all events, three fifths of which it was trained on."""
    import torch

    from tsunagu.trials import load_graph

    with torch.no_grad():
        made = load_graph(row.result.path)({"name": torch.from_numpy(stored["name"])})
    return made["score"].numpy()


def test_a_second_task_on_leaking_scores_is_found_and_would_be_deceived(memorised, noise, tmp_path):
    out, outcome = memorised
    stored = np.load(out / read(out / "out_of_fold.csv")[0]["file"])
    leaking = leaking_column(outcome.rows[0], stored)
    columns = {"event_number": stored["event_number"], "label": stored["label"]}
    fold = fold_of(stored["event_number"], K)
    columns_of = {
        "honest": {"first": stored["score"], "first_test_fold": fold},
        "leaking": {"first": leaking, "first_test_fold": np.zeros(EVENTS, dtype=int)},
        "unmarked": {"first": leaking},
    }
    found = {}
    for name, own in columns_of.items():
        np.savez(tmp_path / f"{name}.npz", **columns, **own)
        study = second(tmp_path / f"{name}.npz")
        try:
            run_study(study, tmp_path / name, base=tmp_path)
        except DataError as error:
            found[name] = str(error)
            continue
        found[name] = float(read(tmp_path / name / "out_of_fold.csv")[0]["auc"])
    assert "leaking.npz: column 'first': " in found["leaking"]
    assert (
        f"{int((fold != 0).sum())} of 240 events have the score of a model that may have been"
        in found["leaking"]
    )
    assert 0.35 < found["honest"] < 0.65
    assert found["unmarked"] > 0.7  # the bias that the check prevents


def second(path):
    model = [node("Unflatten", -1, [-1, 1]), node("Linear", 1, 1), node("Flatten", 0)]
    task = Task(inputs=["told"], output="score", model=model, loss=LossTerm(key="binary", target="label"))
    data = Data(files=str(path), columns={"told": "first"}, folds=ROTATED)
    train = Train(epochs=5, optimizer=node("Adam", lr=0.1))
    return Study(data=data, tasks={"classify": task}, train=train, metric="auc(score, label)")


def test_scores_of_another_number_of_folds_are_refused(memorised, noise, tmp_path):
    out, _ = memorised
    stored = np.load(out / read(out / "out_of_fold.csv")[0]["file"])
    own = {"first": stored["score"], "first_test_fold": stored["fold"]}
    np.savez(tmp_path / "a.npz", event_number=stored["event_number"], label=stored["label"], **own)
    study = second(tmp_path / "a.npz")
    study = study.model_copy(update={"data": study.data.model_copy(update={"folds": Folds(k=6)})})
    with pytest.raises(DataError, match=r"column 'first': .* with k = 6"):
        check_study(study, tmp_path)


def test_all_stages_of_a_chain_are_noted_with_what_they_saw(study_of, tmp_path, table):
    study = study_of()
    study = study.model_copy(update={"data": study.data.model_copy(update={"folds": ROTATED})})
    outcome = run_study(study, tmp_path, base=tmp_path)
    for row in outcome.rows:
        seen, folds = read_seen(row.result.path), row.planned.trial.folds
        split = table.split(folds)
        assert [stage.stage for stage in seen.stages] == ["pretrain calibrate", "pretrain classify", "joint"]
        assert seen.test == {folds.test: len(split.test)}
        assert {sum(stage.train.values()) for stage in seen.stages} == {len(split.train)}
        assert not training_leaks("t", seen)
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["methods"][0]
    values = summary["metrics"]["test_auc"]["values"]
    assert summary["over_folds"]["test_auc"]["values"] == pytest.approx(values)
    assert summary["over_seeds"]["test_auc"]["values"] == pytest.approx([np.mean(values)])


def seen_of_fold(test, **more):
    return as_declared(Folds(k=3, test=test, validation=(test + 1) % 3), ["pretrain", "joint"], **more)


def test_a_leak_in_any_stage_or_in_the_first_weights_is_found():
    good = {str(fold): seen_of_fold(fold) for fold in range(3)}
    assert rotation_leaks(good) == []
    bad = StageSeen(stage="pretrain", train={0: 5, 2: 5}, validation={1: 5})
    leaking = good | {"0": type(good["0"])(k=3, test={0: 5}, stages=[bad, good["0"].stages[1]])}
    assert rotation_leaks(leaking) == ["0: pretrain has seen fold 0, which is its test fold"]
    begun = good | {"1": type(good["1"])(k=3, test={1: 5}, stages=good["1"].stages, begin="search")}
    assert rotation_leaks(begun, lambda _: seen_of_fold(1)) == []
    (first, *_) = rotation_leaks(begun, lambda _: seen_of_fold(0))
    assert first == (
        "1: pretrain of search, where its first weights come from, has seen fold 1, which is its test fold"
    )
    assert rotation_leaks({"0": good["0"], "1": seen_of_fold(0)})[-2:] == [
        "fold 1 is the test fold of no training",
        "fold 2 is the test fold of no training",
    ]


def test_a_training_that_saw_its_test_fold_is_never_put_together(memorised, noise, tmp_path):
    _, outcome = memorised
    ((_, _, rows),) = rotations(memorising(noise), outcome.rows)
    path = rows[1].result.path / "seen.json"
    kept = path.read_text(encoding="utf-8")
    data = json.loads(kept)
    data["stages"][0]["train"]["1"] = 80
    path.write_text(json.dumps(data), encoding="utf-8")
    try:
        with pytest.raises(TsunaguError, match="joint has seen fold 1, which is its test fold"):
            assembled(rows)
    finally:
        path.write_text(kept, encoding="utf-8")
    with pytest.raises(TsunaguError, match="event numbers were tested on more than once"):
        assembled([*rows, rows[0]])


def test_an_incomplete_rotation_is_not_put_together(memorised, noise, tmp_path):
    _, outcome = memorised
    assert list(rotations(memorising(noise), outcome.rows[1:])) == []
