"""The calibration curve of a report: its numbers, and the probability that a loss tells."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from tsunagu.losses import find_loss
from tsunagu.metrics import reliability
from tsunagu.report.reading import read_outcome
from tsunagu.report.reliability import draw_reliability

FOCAL = "tasks: {classify: {output: score, loss: {key: focal, target: is_higgs, args: {gamma: 2.0}}}}\n"


def score_of(outcome):
    return next(output for output in outcome.outputs if output.name == "score")


def column(drawing, name, rows=10):
    return np.asarray(drawing.numbers[name])[:rows]


def test_numbers_are_the_mean_over_seeds_and_isotonic_is_nearer(finished):
    outcome = read_outcome(finished)
    drawing = draw_reliability(outcome, score_of(outcome))
    each = [
        reliability(1 / (1 + np.exp(-z)), y, w).observed
        for trial in outcome.shown[0].trials
        for z, y, w in [trial.predictions.take("test", "score", "is_higgs", "weight")]
    ]
    np.testing.assert_allclose(column(drawing, "observed"), np.mean(each, axis=0), atol=1e-6)
    raw, isotonic = (
        np.nansum(
            np.abs(column(drawing, f"{n}observed") - column(drawing, f"{n}predicted"))
            * column(drawing, f"{n}share")
        )
        for n in ("", "isotonic_")
    )
    assert isotonic < 0.5 * raw


def test_a_focal_score_is_mapped_to_its_probability(own):
    plain = draw_reliability(read_outcome(own), score_of(read_outcome(own)))
    summary = json.loads((own / "summary.json").read_text(encoding="utf-8"))
    summary["outputs"]["score"]["loss"] = "focal"
    (own / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    for folder in (own / "trials").iterdir():
        (folder / "spec.yaml").write_text(FOCAL, encoding="utf-8")
    outcome = read_outcome(own)
    assert score_of(outcome).classifies
    mapped = draw_reliability(outcome, score_of(outcome))
    first = outcome.shown[0].trials[0].predictions.take("test", "score")[0]
    sure = find_loss("focal")(gamma=2.0).probability(torch.from_numpy(first)).numpy()
    assert np.abs(sure - 0.5).mean() > np.abs(1 / (1 + np.exp(-first)) - 0.5).mean()
    assert (
        column(mapped, "share")[0] + column(mapped, "share")[-1]
        > column(plain, "share")[0] + column(plain, "share")[-1]
    )


@pytest.mark.parametrize(("key", "classifies"), [("affinity", True), ("mse", False), ("somebody's", False)])
def test_what_is_a_score_is_said_by_the_loss(finished, key, classifies):
    output = score_of(read_outcome(finished))
    assert type(output)(name="s", loss=key, target="y").classifies == classifies
