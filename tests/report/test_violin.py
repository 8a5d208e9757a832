"""Violins and bars of choices: the numbers in them, and how they look."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tsunagu.report.chosen import draw_choices
from tsunagu.report.reading import read_outcome
from tsunagu.report.stored import Undrawable
from tsunagu.report.violin import density, draw_violins, scattered, violins

values = st.lists(st.integers(0, 1000), min_size=4, max_size=60, unique=True).map(
    lambda numbers: np.array(numbers) / 1000
)


def rows_of(table):
    return [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)]


def labels(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


@given(values)
def test_the_density_is_that_of_scipy(numbers):
    at = np.linspace(-0.5, 1.5, 50)
    oracle = stats.gaussian_kde(numbers)
    scale = max(oracle(at).max(), oracle(numbers).max())
    assert density(numbers, at) == pytest.approx(oracle(at) / scale, abs=1e-9)


@given(values)
def test_points_stay_within_their_violin_and_stand_where_they_stood(numbers):
    offsets = scattered(numbers)
    assert (np.abs(offsets) <= density(numbers, numbers)).all()
    assert (offsets == scattered(numbers)).all()
    order = np.argsort(numbers)
    assert scattered(numbers[order]) == pytest.approx(offsets[order])
    assert len(set(np.round(offsets, 12))) > len(numbers) / 2


def test_equal_values_make_points_and_no_violin():
    assert np.isfinite(scattered(np.full(6, 0.8))).all()
    assert scattered(np.array([0.8])).tolist() == [0.0]


def test_violin_numbers(figures, read):
    table = read(figures / "violin_auc.csv")
    assert table["method"] == ["cnn lstm"] * 3 + ["mlp mass"] * 3 + ["visible_mass"]
    assert table["seed"] == ["1", "2", "3", "1", "2", "3", ""]
    first = [float(value) for value in table["value"][:3]]
    assert first == pytest.approx([0.905, 0.906, 0.907])
    assert float(table["mean"][0]) == pytest.approx(0.906)
    low, high = stats.t.interval(0.95, 2, loc=np.mean(first), scale=stats.sem(first))
    assert float(table["interval_low"][0]) == pytest.approx(low)
    assert float(table["interval_high"][0]) == pytest.approx(high)
    assert table["interval_low"][-1] == ""


def test_a_baseline_far_away_is_named_and_does_not_press_the_violins(own, read, rewrite):
    outcome = read_outcome(own)
    figure = draw_violins(outcome, "test_auc").figure
    assert labels(figure) == ["a seed", "mean, 95 % interval", "visible_mass (\N{LEFTWARDS ARROW} 0.8100)"]
    assert figure.axes[0].get_xlim()[0] > 0.85
    table = read(own / "results.csv")
    table["test_auc"][-1] = "0.89"
    rewrite(own / "results.csv", rows_of(table))
    figure = draw_violins(read_outcome(own), "test_auc").figure
    assert labels(figure)[-1] == "visible_mass"


def test_two_seeds_have_a_mean_and_no_bar(own, read, rewrite):
    rewrite(own / "results.csv", [row for row in rows_of(read(own / "results.csv")) if row["seed"] != "3"])
    figure = draw_violins(read_outcome(own), "test_auc").figure
    assert labels(figure)[:2] == ["a seed", "mean"]
    notes = [text.get_text() for text in figure.axes[0].texts]
    assert notes == ["0.9055", "0.8735"]


def test_methods_keep_their_order_and_fill_the_axis(own):
    axes = draw_violins(read_outcome(own), "test_auc").figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["cnn lstm", "mlp mass"]
    bottom, top = axes.get_ylim()
    assert bottom > 1
    assert top < 0


def test_what_is_no_number_is_left_out(own, read, rewrite):
    table = read(own / "results.csv")
    table["test_auc"] = ["nan", "0.9", "inf", "nan", "nan", "nan", ""]
    rewrite(own / "results.csv", rows_of(table))
    drawn, plain, left_out = violins(read_outcome(own), "test_auc")
    assert [(each.name, each.seeds) for each in drawn] == [("cnn lstm", ("2",))]
    assert plain == []
    assert left_out == ("method mlp mass has no number in test_auc",)
    table["test_auc"] = [""] * 7
    rewrite(own / "results.csv", rows_of(table))
    with pytest.raises(Undrawable, match="no number in test_auc"):
        violins(read_outcome(own), "test_auc")


def test_a_metric_of_an_output_that_nothing_trains_has_no_violin(own):
    for trial in own.glob("trials/cnnlstm*"):
        text = (trial / "spec.yaml").read_text(encoding="utf-8")
        changed = text.replace("intermediate: true", "intermediate: false")
        (trial / "spec.yaml").write_text(changed, encoding="utf-8")
    drawn, _, left_out = violins(read_outcome(own), "test_resolution")
    assert [each.name for each in drawn] == ["mlp mass"]
    assert "no loss looks at" in left_out[0]


def test_bars_of_choices_have_every_option_and_each_method_that_chose(own, read, rewrite):
    table = read(own / "results.csv")
    table["choice:calibrate"] = ["cnn", "scale", "cnn", "", "", "", ""]
    rewrite(own / "results.csv", rows_of(table))
    drawing = draw_choices(read_outcome(own), "calibrate")
    assert {name: list(column) for name, column in drawing.numbers.items()} == {
        "method": ["cnn lstm"] * 2,
        "option": ["cnn", "scale"],
        "times": [2, 1],
    }
    assert labels(drawing.figure) == ["cnn", "scale"]


def test_a_choice_that_no_drawn_method_has_is_left_out(own, read, rewrite):
    table = read(own / "results.csv") | {"choice:calibrate": [""] * 7}
    rewrite(own / "results.csv", rows_of(table))
    with pytest.raises(Undrawable, match="no method that is drawn has the choice calibrate"):
        draw_choices(read_outcome(own), "calibrate")


def test_many_options_stay_apart(own, read, rewrite):
    row = rows_of(read(own / "results.csv"))[0]
    rewrite(
        own / "results.csv",
        [row | {"seed": str(seed), "choice:calibrate": f"option {seed}"} for seed in range(1, 10)],
    )
    bars = draw_choices(read_outcome(own), "calibrate").figure.axes[0].patches
    looks = {(bar.get_facecolor(), bar.get_hatch()) for bar in bars}
    assert len(looks) == 9
