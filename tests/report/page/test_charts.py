"""What a page draws is what stands beside the static figures."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.report.figures import _drawn
from tsunagu.report.page.charts import chart, looks
from tsunagu.report.reading import read_outcome
from tsunagu.report.style import PALETTE, Drawing, canvas


@pytest.fixture(scope="module")
def charts(finished):
    drawn, _ = _drawn(read_outcome(finished))
    return {name: found for name, drawing in drawn.items() if (found := chart(drawing))}


def test_four_kinds_are_drawn_again(charts):
    kinds = {name.partition("_")[0]: found["kind"] for name, found in charts.items()}
    assert kinds == {kind: kind for kind in ("violin", "choices", "roc", "learning")}


def test_a_violin_has_every_seed(charts, figures, read):
    table = read(figures / "violin_auc.csv")
    rows = charts["violin_auc"]["rows"]
    assert [row["name"] for row in rows] == ["cnn lstm", "mlp mass", "visible_mass"]
    assert [value for row in rows for value in row["values"]] == pytest.approx(
        [float(each) for each in table["value"]], rel=1e-5
    )
    assert rows[0]["places"] == ["seed 1", "seed 2", "seed 3"]
    assert rows[0]["interval"] == pytest.approx(
        [float(table[f"interval_{end}"][0]) for end in ("low", "high")], rel=1e-5
    )
    assert [row["plain"] for row in rows] == [False, False, True]
    assert rows[0]["shape"] is None  # three seeds have none


def test_a_curve_is_the_one_of_the_csv(charts, figures, read):
    table = read(figures / "roc_score.csv")
    curves = charts["roc_score"]["curves"]
    found = np.array([value for curve in curves for value in curve["middle"]], np.float64)
    expected = np.array([float(each or "nan") for each in table["background_rejection"]])
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert charts["roc_score"]["about"] == "is_higgs = 1"


def test_choices_and_learning_curves(charts, figures, read):
    assert charts["choices_calibrate"]["rows"] == [
        {"name": "cnn lstm", "times": [3, 0]},
        {"name": "mlp mass", "times": [0, 3]},
    ]
    stages = charts["learning_cnn_lstm"]["stages"]
    assert [stage["name"] for stage in stages] == ["pretrain calibrate", "pretrain classify", "joint"]
    table = read(figures / "learning_cnn_lstm.csv")
    found = [value for stage in stages for each in stage["lines"] for value in each["valid"]]
    assert sorted(found) == pytest.approx(sorted(float(each) for each in table["valid_loss"]), rel=1e-3)


def test_a_method_looks_as_in_the_static_figures(finished):
    found = looks(read_outcome(finished))
    assert [found[name]["color"] for name in ("cnn lstm", "mlp mass")] == list(PALETTE[:2])
    assert found["cnn lstm"]["dash"] == "solid"
    assert found["mlp mass"]["dash"] == "10px,3.2px"


def test_other_figures_are_only_linked():
    assert chart(Drawing(figure=canvas()[0])) is None
