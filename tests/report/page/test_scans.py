"""What a page embeds of scans, decoded again as a browser would."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from tsunagu.metrics import auc
from tsunagu.report.page.bins import BINS, binned_auc
from tsunagu.report.page.scan import Scan
from tsunagu.report.page.scans import collect_scan, method_scans, plain_scan, score_scans
from tsunagu.report.reading import read_outcome
from tsunagu.report.stored import Undrawable


def events(classes=2):
    draw = np.random.default_rng(1)
    label = draw.integers(0, classes, 3000)
    return draw.normal(0, 1, 3000) + 2.0 * label, label.astype(np.float64), draw.uniform(0.5, 1.5, 3000)


def decoded(text, kind, *shape):
    return np.frombuffer(base64.b64decode(text), kind).reshape(shape)


def test_every_seed_and_point_is_there_in_order(make_scan):
    scans = {f"seed {seed}": make_scan(*events(), seed, points=3, shares=(0.2, 0.8)) for seed in (1, 2)}
    found = method_scans("m", scans, [1])
    assert [axis["name"] for axis in found["axes"]] == ["one_minus_beta", "share of <calibrate>"]
    assert [len(axis["values"]) for axis in found["axes"]] == [3, 2]
    histograms = found["histograms"]["1"]
    shares = decoded(histograms["shares"], "<f2", 2, 6, 2, BINS)
    for seed, scan in enumerate(scans.values()):
        exact = [auc(scores, scan.labels, scan.weights) for scores in scan.scores[scan.order]]
        assert binned_auc(shares[seed]) == pytest.approx(exact, abs=1e-3)
    assert (
        decoded(histograms["steps"], "<u2", 2, 6, BINS + 1)[..., [0, -1]].tolist() == [[[0, 65535]] * 6] * 2
    )
    assert decoded(histograms["span"], "<f4", 2, 6, 2).shape == (2, 6, 2)
    losses = next(each for each in found["metrics"] if each["name"] == "loss of classify")
    assert losses["values"][1] == pytest.approx(
        scans["seed 2"].metrics["loss of classify"][scans["seed 2"].order]
    )


def test_many_classes_have_a_table_of_what_is_taken_for_what():
    _, label, weight = events(3)
    logits = np.random.default_rng(2).normal(0, 1, (1, 3000, 3)) + 2 * np.eye(3)[label.astype(int)]
    found = method_scans("m", {"seed 1": Scan(scores=logits, labels=label, weights=weight)}, [0, 1, 2])
    table = np.array(found["confusion"])[0, 0]
    assert table.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-3)
    own = label == 2
    taken = own & (logits[0].argmax(axis=1) == 0)
    assert table[2, 0] == pytest.approx(weight[taken].sum() / weight[own].sum(), abs=1e-3)
    assert set(found["histograms"]) == {"0", "1", "2"}
    assert found["sums"][0] == pytest.approx([weight[label == c].sum() for c in range(3)], rel=1e-4)


def test_trials_of_unlike_grids_are_not_put_together(make_scan):
    scans = {"seed 1": make_scan(*events(), 1, points=3), "seed 2": make_scan(*events(), 2, points=4)}
    with pytest.raises(Undrawable, match="method m: its trials were scanned at unlike values"):
        method_scans("m", scans, [1])


def test_what_has_no_condition_is_a_scan_of_its_predictions(finished):
    outcome = read_outcome(finished)
    parts, left_out = score_scans(outcome)
    assert not left_out
    (part,) = parts
    assert [method["name"] for method in part["methods"]] == ["cnn lstm", "mlp mass"]
    assert [method["axes"] for method in part["methods"]] == [[], []]
    trial, output = outcome.methods[1].trials[2], next(each for each in outcome.outputs if each.classifies)
    assert collect_scan(trial, output) is None
    shares = decoded(part["methods"][1]["histograms"]["1"]["shares"], "<f2", 3, 1, 2, BINS)
    exact = auc(*trial.predictions.take("test", "score", "is_higgs", "weight"))
    assert binned_auc(shares[2])[0] == pytest.approx(exact, abs=1e-3)


def test_a_stored_scan_is_the_one_of_the_page(own):
    outcome = read_outcome(own)
    trial, output = outcome.methods[0].trials[0], next(each for each in outcome.outputs if each.classifies)
    (score,) = trial.predictions.take("test", "score")
    shares = {"condition_trade.one": [0.0, 0.5, 1.0], "condition_trade.other": [1.0, 0.5, 0.0]}
    np.savez(trial.folder / "scan.npz", test_score=np.stack([score, score + 1.0, score + 2.0]), **shares)
    rows = ["split,auc", "validation,0.1", "test,0.5", "test,0.6", "test,0.7"]
    (trial.folder / "scan.csv").write_text("\n".join(rows), encoding="utf-8")
    found = collect_scan(trial, output, outcome.metrics)
    assert {name: values.tolist() for name, values in found.conditions.items()} == {"trade.one": [0, 0.5, 1]}
    assert found.scores[2] - found.scores[0] == pytest.approx(np.full(len(score), 2.0))
    assert found.metrics["auc"].tolist() == [0.5, 0.6, 0.7]
    assert found.larger_is_better == {"auc"}


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_stored_logits_of_every_shape_are_read(own, change_predictions, columns):
    def edit(arrays):
        draw, label = np.random.default_rng(1), arrays["test_is_higgs"]
        arrays["test_score"] = (
            draw.normal(0, 1, (len(label), columns))
            + np.eye(max(columns, 2))[label.astype(int)][:, -columns:]
        )
        if columns > 2:
            arrays["test_is_higgs"] = np.arange(len(label)) % 3

    change_predictions(own, edit)
    outcome = read_outcome(own)
    output = next(each for each in outcome.outputs if each.classifies)
    scan = plain_scan(outcome.methods[0].trials[0], output)
    assert scan.scores.ndim == (3 if columns > 2 else 2)
    assert scan.classes == max(columns, 2)


def test_a_method_without_scores_is_left_out_with_the_reason(own, change_predictions):
    change_predictions(own, lambda arrays: arrays.pop("test_score"))
    parts, left_out = score_scans(read_outcome(own))
    assert parts == []
    assert "sliders: trials/cnnlstm1/predictions.npz has no column test_score" in left_out[0]


def test_a_class_without_events_is_told_and_stops_nothing(own, change_predictions):
    def edit(arrays):
        label = arrays["test_is_higgs"]
        arrays["test_score"] = np.eye(3)[label.astype(int)]

    change_predictions(own, edit)
    parts, left_out = score_scans(read_outcome(own))
    assert parts == []
    assert "score of trials/cnnlstm1: scan: the weights of class 2 have the sum 0" in left_out[0]
