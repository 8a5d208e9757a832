"""Methods along a number of a loss: which they are, what is drawn of them, and what where they have no labels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tsunagu.report import report
from tsunagu.report.reading import read_outcome
from tsunagu.report.scan import draw_scan
from tsunagu.report.scans import Scan, find_scans
from tsunagu.report.stored import Undrawable
from tsunagu.spec import Data, Study, Task, dump_yaml, loss, node

SHIFTS = {"CB 1": -2.0, "CB 1e-2": -1.0, "CB 1e-4": 0.0, "focal": -1.5}
"""By which each method lowers the logits of the jets' log-likelihood ratio."""
VALUES = (1e-4, 1e-2, 1.0)
EVENTS = 2000


def _balanced(value, **more):
    return {"tasks.tag.loss": loss("class_balanced", target="is_tau", one_minus_beta=value)} | more


METHODS = {
    "CB 1": _balanced(1.0),
    "CB 1e-2": _balanced(1e-2),
    "CB 1e-4": _balanced(1e-4),
    "focal": {"tasks.tag.loss": loss("focal", target="is_tau", gamma=2.0)},
}


def _study(methods=None, vary=None):
    tag = Task(inputs=["x"], output="score", model=node("MLP"), loss=loss("binary", target="is_tau"))
    return Study(
        data=Data(files="a"),
        tasks={"tag": tag},
        metric="auc(score, is_tau)",
        methods=methods or {},
        vary=vary or {},
    )


def _predictions(shift, seed):
    generator = np.random.default_rng(seed)
    label = (np.arange(EVENTS) % 10 == 0).astype(np.float64)
    score = 2.0 * generator.normal(2.0 * label - 1.0) + shift
    return {"score": score, "is_tau": label, "weight": np.where(np.arange(EVENTS) < 1000, 1.0, 3.0)}


@pytest.fixture
def scanned(tmp_path):
    """A study's folder of four methods with two seeds, made up."""
    out = tmp_path / "out"
    lines = ["method,seed,validation_auc,test_auc,seconds,digest"]
    for method, shift in SHIFTS.items():
        for seed in (1, 2):
            folder = out / "trials" / f"{method.replace(' ', '')}-{seed}"
            folder.mkdir(parents=True)
            found = _predictions(shift, seed)
            both = {
                f"{split}_{name}": value for split in ("validation", "test") for name, value in found.items()
            }
            np.savez(folder / "predictions.npz", **both)
            (folder / "spec.yaml").write_text(
                "tasks: {tag: {inputs: [x], output: score}}\n", encoding="utf-8"
            )
            (folder / "history.csv").write_text(
                "stage,epoch,train_loss,valid_loss\njoint,1,0.5,0.6\n", encoding="utf-8"
            )
            lines.append(f"{method},{seed},0.9,{0.9 + 0.01 * seed},1,{folder.name}")
    (out / "results.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    outputs = {"score": {"task": "tag", "loss": "binary", "target": "is_tau"}}
    summary = {
        "name": "taus",
        "metric": "auc(score, is_tau)",
        "metrics": {"auc": "auc(score, is_tau)"},
        "outputs": outputs,
    }
    (out / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    (out / "study.yaml").write_text(dump_yaml(_study(METHODS)), encoding="utf-8")
    return out


def test_methods_that_differ_in_one_number_of_a_loss_are_a_scan():
    points = tuple(zip(VALUES, ("CB 1e-4", "CB 1e-2", "CB 1"), strict=True))
    assert find_scans(_study(METHODS)) == (Scan(parameter="one_minus_beta", points=points),)


@pytest.mark.parametrize(
    "methods",
    [
        {},
        {name: METHODS[name] for name in ("CB 1", "CB 1e-2", "focal")},
        METHODS | {"CB 1": _balanced(1.0, **{"train.epochs": 3})},
        {key: {"tasks.tag.loss.key": key} for key in ("binary", "focal", "logit_adjusted")},
    ],
    ids=["nothing", "two values", "another difference", "no number"],
)
def test_others_are_none(methods):
    assert find_scans(_study(methods)) == ()


def test_each_setting_of_the_rest_has_a_scan_of_its_own_and_folds_make_none():
    labels = {"a": 0.5, "b": 1.0, "c": 2}
    vary = {
        "tasks.tag.loss.weight": labels,
        "train.epochs": {"short": 1, "long": 2},
        "data.folds.test": {"first": 0, "third": 2},
    }
    found = find_scans(_study(vary=vary))
    assert [scan.points for scan in found] == [
        ((0.5, f"a {epochs}"), (1.0, f"b {epochs}"), (2.0, f"c {epochs}")) for epochs in ("short", "long")
    ]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ((1e-6, 1e-3, 1.0), "log"),
        ((0.0, 1e-3, 1.0), "symlog"),
        ((0.0, 1.0, 2.0), "linear"),
        ((-1.0, 1.0, 99.0), "linear"),
    ],
)
def test_the_axis_is_logarithmic_where_the_values_span_decades(values, scale):
    assert Scan(parameter="x", points=tuple((value, str(value)) for value in values)).scale == scale


def test_accuracies_are_those_of_the_predictions(scanned, quick, read, tmp_path):
    report(scanned, tmp_path)
    table = read(tmp_path / "scan_one_minus_beta.csv")
    rows = {
        (q, m): float(x) for q, m, x in zip(table["quantity"], table["method"], table["mean"], strict=True)
    }
    for method, shift in SHIFTS.items():
        right, weights = [], _predictions(shift, 1)["weight"]
        for seed in (1, 2):
            found = _predictions(shift, seed)
            right.append((found["score"] > 0) == (found["is_tau"] == 1))
        label = _predictions(shift, 1)["is_tau"]
        for name, chosen in {
            "accuracy_0": label == 0,
            "accuracy_1": label == 1,
            "accuracy": label >= 0,
        }.items():
            expected = np.mean([np.average(each[chosen], weights=weights[chosen]) for each in right])
            assert rows[name, method] == pytest.approx(expected, rel=1e-6)
        assert rows["auc", method] == pytest.approx(0.915)
    assert [
        value for value, name in zip(table["value"], table["method"], strict=True) if name == "focal"
    ] == [""] * 4
    assert table["value"][:3] == ["0.0001", "0.01", "1"]


def test_the_classes_are_named_by_their_shares_and_the_others_by_their_names(scanned):
    outcome = read_outcome(scanned)
    figure = draw_scan(outcome, outcome.scans[0]).figure
    along, beside, _, below = figure.axes
    legend = [text.get_text() for text in along.get_legend().get_texts()]
    assert legend == ["major class, is_tau = 0 (90%)", "minor class, is_tau = 1 (10%)", "all events"]
    assert (along.get_xscale(), [text.get_text() for text in below.get_xticklabels()]) == ("log", ["focal"])
    assert beside.get_title("right") == "other methods"
    assert max(along.get_yticks()) <= 1.0


def test_without_labels_only_the_metric_is_drawn(scanned, quick, read, tmp_path):
    summary = json.loads((scanned / "summary.json").read_text(encoding="utf-8"))
    summary["outputs"]["score"]["loss"] = "mse"
    (scanned / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    report(scanned, tmp_path)
    assert set(read(tmp_path / "scan_one_minus_beta.csv")["quantity"]) == {"auc"}


def test_a_scan_of_which_one_value_has_results_is_not_drawn(scanned):
    lines = (scanned / "results.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("CB 1,", "CB 1e-2,"))]
    (scanned / "results.csv").write_text("\n".join([*kept, ""]), encoding="utf-8")
    outcome = read_outcome(scanned)
    with pytest.raises(Undrawable, match="fewer than two values of one_minus_beta have results"):
        draw_scan(outcome, outcome.scans[0])


def test_all_methods_stand_in_two_tables(scanned, quick, tmp_path):
    report(scanned, tmp_path)
    lines = (tmp_path / "methods.md").read_text(encoding="utf-8").splitlines()
    assert "| CB 1e-4 | 2 | 0.9150 \N{PLUS-MINUS SIGN} 0.0071 |" in lines
    assert "Differences to CB 1, seed by seed, with 95 % intervals of their mean:" in lines
    assert "| focal | +0.0000 [+0.0000, +0.0000] |" in lines


def _scanned(out, method, values):
    """Give the trials of a method a scan, in which the logits are those of the prediction minus the logarithm of the value."""
    for folder in (out / "trials").glob(f"{method}-*"):
        with np.load(folder / "predictions.npz") as arrays:
            made = {
                f"{s}_score": np.stack([arrays[f"{s}_score"] - np.log10(v) for v in values])
                for s in ("validation", "test")
            }
        np.savez(folder / "scan.npz", condition_one_minus_beta=np.array(values), **made)
        lines = [f"{split},{value},0.8" for split in ("validation", "test") for value in values]
        (folder / "scan.csv").write_text(
            "\n".join(["split,one_minus_beta,auc", *lines, ""]), encoding="utf-8"
        )


def test_a_conditioned_method_is_a_line_over_the_points_of_the_others(scanned, quick, read, tmp_path):
    values = (1e-4, 1e-3, 1.0)
    _scanned(scanned, "focal", values)
    report(scanned, tmp_path)
    table = read(tmp_path / "scan_one_minus_beta.csv")
    rows = [
        (float(value), float(mean))
        for quantity, method, value, mean in zip(
            *(table[n] for n in ("quantity", "method", "value", "mean")), strict=True
        )
        if (quantity, method) == ("accuracy_1", "focal")
    ]
    wanted = []
    for value in values:
        each = [_predictions(SHIFTS["focal"], seed) for seed in (1, 2)]
        wanted.append(np.mean([np.mean((p["score"] - np.log10(value) > 0)[p["is_tau"] == 1]) for p in each]))
    assert [value for value, _ in rows] == list(values)
    assert [mean for _, mean in rows] == pytest.approx(wanted, abs=0.01)
    assert len(set(wanted)) == 3
