"""The figures and tables of searches, of a study that was really run."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest

from tsunagu.errors import DataError, ResumeError
from tsunagu.report import explain, report, results_table
from tsunagu.report.reading import read_outcome
from tsunagu.report.searching import draw_search, trajectories
from tsunagu.report.stored import Undrawable
from tsunagu.report.supernet import clouds
from tsunagu.spec import choice, node
from tsunagu.studies import run_study

SECOND = choice(mass=node("MassMLP", hidden=[4]), mlp=node("MLP", hidden=[4]), lstm=node("LSTM", hidden=[4]))
METHODS = {
    "every": {"search": None},
    "random": {"search": {"key": "Random", "args": {"evaluations": 2}}},
    "spos": {"search": "Spos"},
    "asng": {"search": {"key": "Asng", "args": {"delta0": 0.3}}},
    "longer": {"search": "Gdas", "train.epochs": 3},
}


@pytest.fixture(scope="module")
def searched(study_of, pipeline_of, tmp_path_factory):
    out = tmp_path_factory.mktemp("searched") / "out"
    chain = pipeline_of(second=SECOND, epochs=2, pretrain=False, batch_size=72)
    baselines = {"visible mass": "auc(vis_mass, is_higgs)"}
    run_study(study_of(chain, methods=METHODS, seeds=2, baselines=baselines), out)
    return out


def _read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def drawn(searched, tmp_path, quick):
    report(searched, tmp_path)
    return tmp_path


def _method(searched, name):
    outcome = read_outcome(searched)
    return outcome, next(method for method in outcome.methods if method.name == name)


def test_searches_are_drawn_and_what_cannot_be_is_told(drawn):
    names = {path.stem for path in drawn.glob("*.png")}
    assert {"cost", "search_asng", "search_longer", "supernet_spos", "supernet_asng"} <= names
    assert not names & {"search_spos", "search_random", "supernet_longer", "supernet_random", "search_every"}
    told = (drawn / "left_out.txt").read_text(encoding="utf-8")
    assert "search_spos: the searcher of method spos holds no probabilities of options" in told
    assert "supernet_longer: method longer: no two of its architectures were trained alone" in told


def test_the_trajectory_is_that_of_the_searches(searched, drawn):
    rows = _read(drawn / "search_asng.csv")
    assert len(rows) == 2 * 2 * 3
    _, asng = _method(searched, "asng")
    for search in asng.searches:
        stored = _read(search.folder / "trajectory.csv")
        own = [row for row in rows if row["seed"] == str(search.seed)]
        for row in stored:
            (same,) = [r for r in own if (r["epoch"], r["option"]) == (row["epoch"], row["option"])]
            assert float(same["probability"]) == pytest.approx(float(row["probability"]))
    last = [float(row["probability"]) for row in rows if row["epoch"] == "2" and row["seed"] == "1"]
    assert sum(last) == pytest.approx(1.0)


def test_the_supernet_is_drawn_against_trainings_alone(searched, drawn):
    rows = _read(drawn / "supernet_asng.csv")
    assert len(rows) == 2 * 3
    assert {row["architecture"] for row in rows} == set(SECOND.options)
    results = {
        (row["seed"], row["choice:tasks.classify.model"]): row
        for row in _read(searched / "results.csv")
        if row["method"] == "every"
    }
    for row in rows:
        alone = results[row["search"].removeprefix("seed "), row["architecture"]]
        assert float(row["alone"]) == pytest.approx(float(alone["validation_auc"]))
    outcome, asng = _method(searched, "asng")
    summary = json.loads((searched / "summary.json").read_text(encoding="utf-8"))
    (told,) = [each["search"] for each in summary["methods"] if each["method"] == "asng"]
    assert [cloud.tau for cloud in clouds(outcome, asng)] == pytest.approx(told["kendall"])
    assert [int(cloud.chosen.sum()) for cloud in clouds(outcome, asng)] == [1, 1]


def test_the_cost_is_drawn_beside_the_metric(searched, drawn):
    rows = {row["method"]: row for row in _read(drawn / "cost.csv")}
    summary = json.loads((searched / "summary.json").read_text(encoding="utf-8"))
    assert list(rows) == list(METHODS)
    for each in summary["methods"]:
        assert float(rows[each["method"]]["cost"]) == pytest.approx(each["cost"])
        assert float(rows[each["method"]]["mean"]) == pytest.approx(each["metrics"]["test_auc"]["mean"])
    assert float(rows["every"]["cost"]) > float(rows["random"]["cost"])


def test_the_table_tells_cost_confidence_and_ranking(searched):
    table = results_table(searched)
    header = [str(column.header) for column in table.columns]
    assert header[:5] == ["method", "trials", "cost", "confidence", "Kendall \N{GREEK SMALL LETTER TAU}"]
    cells = [list(map(str, column.cells)) for column in table.columns]
    rows = {row[0]: row for row in zip(*cells, strict=True)}
    dash = "\N{EN DASH}"
    assert rows["every"][1] == "2 of 6"
    assert (rows["spos"][1], rows["spos"][3]) == ("2", dash)
    assert rows["asng"][3] != dash != rows["asng"][4]
    assert (rows["longer"][4], rows["visible mass"][2]) == (dash, dash)
    text = " ".join(explain(searched))
    assert "asng: for each seed one supernet chose, and its choice was trained; least sure choice 0." in text
    assert "spos: for each seed one supernet chose, and its choice was trained; its ranking" in text


def test_a_figure_without_probabilities_is_left_out(searched):
    outcome, spos = _method(searched, "spos")
    with pytest.raises(Undrawable, match="holds no probabilities"):
        draw_search(outcome, spos)


def test_damaged_files_are_named(searched, tmp_path):
    _, asng = _method(searched, "asng")
    search = asng.searches[0]
    other = type(search)(seed=1, folder=tmp_path)
    with pytest.raises(ResumeError, match=r"trajectory.csv: no such file"):
        trajectories(other)
    text = (search.folder / "trajectory.csv").read_text(encoding="utf-8").replace("0.", "O.")
    (tmp_path / "trajectory.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"trajectory.csv: could not convert"):
        trajectories(other)


def test_many_choices_are_left_out_but_for_the_first(searched, monkeypatch):
    outcome, asng = _method(searched, "asng")
    monkeypatch.setattr("tsunagu.report.searching.PANELS", 1)
    found = trajectories(asng.searches[0])
    more = [*found, *(type(each)(**{**vars(each), "label": "other"}) for each in found)]
    monkeypatch.setattr("tsunagu.report.searching.trajectories", lambda _: more)
    drawing = draw_search(outcome, asng)
    assert drawing.left_out == ("only the first 1 of 2 choices are drawn",)
    assert math.isclose(np.asarray(drawing.numbers["probability"]).sum(), 2 * 2 * 2)
