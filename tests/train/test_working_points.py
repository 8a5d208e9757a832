"""Working points of a trial: chosen on validation events, applied to the test events."""

from __future__ import annotations

import pytest
import torch

from tsunagu.metrics import efficiency, parse_metric, working_point
from tsunagu.spec import Folds
from tsunagu.train import measure, working_points

CALLS = [parse_metric("efficiency(vis_mass, is_higgs, at=0.5)"), parse_metric("auc(vis_mass, is_higgs)")]


def test_the_cut_of_validation_events_is_used_on_test_events(table):
    split = table.split(Folds())
    points = working_points(CALLS, {}, table, split.validation)
    columns = ("vis_mass", "is_higgs")
    valid, test = (
        [*(table.columns[name][rows].numpy() for name in columns), table.weight[rows].numpy()]
        for rows in (split.validation, split.test)
    )
    assert points == [working_point(*valid, at=0.5), None]
    there, area = measure(CALLS, {}, table, split.test, points)
    assert there == efficiency(*test, point=points[0])
    assert there != pytest.approx(efficiency(*test, at=0.5), abs=1e-6)
    assert area == measure(CALLS, {}, table, split.test)[1]
    assert measure(CALLS, {}, table, split.validation) == measure(CALLS, {}, table, split.validation, points)


def test_a_prediction_and_a_column_are_both_found(table):
    rows = torch.arange(50)
    call = parse_metric("purity(score, is_higgs, prior=0.2)")
    (point,) = working_points([call], {"score": torch.linspace(-1.0, 1.0, 50)}, table, rows)
    assert len(point.shift) == 2
