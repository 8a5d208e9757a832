"""Which architecture wins at which value: read from searches of a study that was really run, and drawn."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from tsunagu.errors import ResumeError
from tsunagu.report import report
from tsunagu.report.along import Along, alongs
from tsunagu.report.reading import read_outcome
from tsunagu.report.winners import draw_winners, winning
from tsunagu.spec import Architecture, choice, condition, log_uniform, node, simplex
from tsunagu.studies import run_study
from tsunagu.trials.path_scan import FILE

SECOND = choice(mlp=node("MLP", hidden=[4]), deep=node("MLP", hidden=[8, 8]), name="second")
METHODS = {
    "fair": {"search": {"key": "Spos", "args": {"fair": True}}},
    "there": {"search": {"key": "Spos", "at": {"trade": {"classify": 0.9, "calibrate": 0.1}}}},
    "every": {"search": None},
}


def traded(pipeline, **more):
    """The same chain with a condition on its weights, and perhaps another one."""
    tasks = {
        name: task.model_copy(
            update={
                "loss": task.losses[0].model_copy(
                    update={
                        "weight": condition("trade", simplex("classify", "calibrate"), part=name),
                        "args": more if name == "calibrate" else {},
                    }
                )
            }
        )
        for name, task in pipeline.tasks.items()
    }
    return pipeline.model_copy(update={"tasks": tasks})


@pytest.fixture(scope="module")
def chain(pipeline_of):
    return traded(pipeline_of(second=SECOND, epochs=2, pretrain=False, batch_size=72))


@pytest.fixture(scope="module")
def searched(study_of, chain, tmp_path_factory):
    out = tmp_path_factory.mktemp("winners") / "out"
    run_study(study_of(chain, methods=METHODS, seeds=2), out)
    return out


def _found(out, name):
    outcome = read_outcome(out)
    method = next(method for method in outcome.methods if method.name == name)
    return outcome, method, alongs(outcome, method)


def _read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_metric_and_loss_are_read_along_the_condition(searched):
    outcome, method, found = _found(searched, "there")
    assert [(each.condition, each.metric) for each in found] == [
        ("trade.classify", "auc"),
        ("trade.classify", "loss"),
    ]
    for each in found:
        assert each.point == 0.9
        assert each.numbers.shape == (2, 2, 21)
        assert each.values.tolist() == pytest.approx(np.linspace(0.0, 1.0, 21).tolist())
    assert (found[1].numbers.min(axis=1) == 0.0).all()
    stored = _read(method.searches[0].folder / FILE)
    line = next(row for row in stored if float(row["condition:trade.classify"]) == 1.0)
    number = [architecture["second"] for architecture in found[0].architectures].index(line["choice:second"])
    assert found[0].numbers[0, number, -1] == float(line["auc"])
    assert alongs(outcome, _found(searched, "every")[1]) == []
    # Trainings alone are judged in the middle, and so can be compared with what is judged there.
    assert {row["method"] for row in outcome.agreements} == {"fair"}


def test_what_is_drawn_is_what_won(searched, tmp_path, quick):
    report(searched, tmp_path)
    names = {path.stem for path in tmp_path.glob("winners_*.png")}
    assert names == {f"winners_{m}_trade.classify_{n}" for m in ("fair", "there") for n in ("auc", "loss")}
    _, _, (auc, _) = _found(searched, "fair")
    rows = _read(tmp_path / "winners_fair_trade.classify_auc.csv")
    assert len(rows) == 2 * 21
    for place, number in enumerate(auc.winners):
        at = [row for row in rows if float(row["trade.classify"]) == pytest.approx(auc.values[place])]
        (best,) = [row for row in at if row["best"] == "1"]
        assert best["architecture"] == auc.architectures[number]["second"]
        assert sum(int(row["times_best"]) for row in at) == 2
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("auc along trade.classify, on the validation events") == 2
    assert 'href="#winners"' in page


def test_a_damaged_file_is_named(searched):
    outcome, method, _ = _found(searched, "fair")
    path = method.searches[0].folder / FILE
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ResumeError, match=r"paths\.csv: cannot be read"):
        alongs(outcome, method)
    path.write_bytes(whole)


def test_other_conditions_stand_still_where_paths_were_compared(study_of, pipeline_of, tmp_path):
    pipeline = pipeline_of(second=SECOND, epochs=1, pretrain=False, batch_size=72)
    pipeline = traded(pipeline, pt_scale=condition("scale", log_uniform(0.1, 10.0)))
    search = {"key": "Spos", "at": {"scale": 3.0}}
    run_study(study_of(pipeline, search=search, seeds=1), tmp_path / "out")
    _, _, found = _found(tmp_path / "out", "chain")
    assert [each.condition for each in found] == ["trade.classify"] * 2 + ["scale"] * 2
    assert [each.scale for each in found] == ["linear"] * 2 + ["log"] * 2
    assert [each.point for each in found] == [0.5, 0.5, 3.0, 3.0]
    assert {len(each.values) for each in found} == {11}


@pytest.fixture
def along():
    """Two searches of three architectures, of which the first wins up to the third value, and one nowhere."""
    numbers = np.array([[[1.0, 2.0, 3.0, 9.0], [2.0, 3.0, 4.0, 5.0], [9.0, 9.0, 9.0, 9.0]]] * 2)
    return Along(
        condition="delta",
        metric="loss",
        values=np.array([0.01, 0.1, 1.0, 10.0]),
        architectures=tuple(Architecture({"net": name}) for name in "abc"),
        numbers=numbers,
        costs=numbers,
        point=None,
        places=("seed 1", "seed 2"),
    )


def test_stretches_of_one_winner(along):
    assert [(each["net"], first, last) for each, first, last in winning(along)] == [
        ("a", 0.01, 1.0),
        ("b", 10.0, 10.0),
    ]
    equal = replace(along, costs=np.zeros_like(along.costs))
    assert [each["net"] for each, _, _ in winning(equal)] == ["a"]


def test_the_colour_changes_half_way(searched, along):
    outcome, method, _ = _found(searched, "fair")
    above, below = draw_winners(outcome, method, along).figure.axes
    thick = [line for line in above.lines if line.get_linewidth() == 4.0]
    assert [line.get_xdata()[[0, -1]].tolist() for line in thick] == [
        pytest.approx([0.01, 10**0.5]),
        pytest.approx([10**0.5, 10.0]),
    ]
    assert len({line.get_color() for line in thick}) == 2
    assert len(below.patches) == 3 * 2
    assert [label.get_text() for label in below.get_yticklabels()] == ["mean", "seed 1", "seed 2"]
