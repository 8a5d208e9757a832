"""The table that the command line shows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rich.console import Console

from tsunagu.errors import DataError, ResumeError
from tsunagu.report import explain, results_table


def lines(out):
    table = results_table(out)
    cells = [list(map(str, column.cells)) for column in table.columns]
    return [str(column.header) for column in table.columns], [list(row) for row in zip(*cells, strict=True)]


def test_methods_and_baselines_stand_in_the_order_of_the_metric(own):
    header, rows = lines(own)
    assert header == ["method", "trials", "test auc", "test resolution"]
    assert [row[:2] for row in rows] == [
        ["cnn lstm", "3"],
        ["mlp mass", "3"],
        ["visible_mass", "\N{EN DASH}"],
    ]
    assert rows[0][2] == "0.9060 \N{PLUS-MINUS SIGN} 0.0010"
    assert rows[0][3] == f"0.2000 \N{PLUS-MINUS SIGN} {np.std([0.1, 0.2, 0.3], ddof=1):.4f}"
    assert rows[2][2:] == ["0.8100", "\N{EN DASH}"]


def test_of_an_error_the_smallest_is_best(own, read, rewrite):
    summary = json.loads((own / "summary.json").read_text(encoding="utf-8"))
    changed = summary | {"metric": "resolution(tau_p4, true_tau_p4)"}
    (own / "summary.json").write_text(json.dumps(changed), encoding="utf-8")
    table = read(own / "results.csv") | {"test_resolution": ["0.3"] * 3 + ["0.1"] * 3 + [""]}
    rewrite(
        own / "results.csv",
        [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)],
    )
    header, rows = lines(own)
    assert header[2] == "test resolution"
    assert [row[0] for row in rows] == ["mlp mass", "cnn lstm", "visible_mass"]


def test_names_are_shown_as_they_are(own):
    text = (own / "results.csv").read_text(encoding="utf-8").replace("cnn lstm", "[bold]cnn[/]")
    (own / "results.csv").write_text(text, encoding="utf-8")
    console = Console(width=120, record=True, quiet=True)
    console.print(results_table(own))
    assert lines(own)[1][0][0] == "[bold]cnn[/]"


def test_what_is_missing_is_named(own):
    text = (own / "results.csv").read_text(encoding="utf-8")
    (own / "results.csv").write_text(text.replace("test_auc", "test_acc"), encoding="utf-8")
    with pytest.raises(DataError, match=r"results.csv: no column test_auc \(did you mean 'test_acc'"):
        results_table(own)
    (own / "results.csv").write_text(text.replace("0.906", "high"), encoding="utf-8")
    with pytest.raises(DataError, match=r"method cnn lstm, column test_auc: .*high"):
        results_table(own)
    (own / "results.csv").unlink()
    with pytest.raises(ResumeError, match=r"results.csv: no such file"):
        results_table(own)


def test_a_number_about_an_output_that_nothing_trains_is_a_dash(own):
    for trial in own.glob("trials/cnnlstm*"):
        text = (
            (trial / "spec.yaml")
            .read_text(encoding="utf-8")
            .replace("intermediate: true", "intermediate: false")
        )
        (trial / "spec.yaml").write_text(text, encoding="utf-8")
    _, rows = lines(own)
    assert rows[0][0] == "cnn lstm"
    assert rows[0][3] == "\N{EN DASH}"
    assert rows[1][3] != "\N{EN DASH}"
    assert explain(own)[-1] == "\N{EN DASH}: no loss looks at tau_p4 there"


def test_the_table_is_explained(own):
    events, auc, resolution, rival, baseline, meaning = explain(own)
    assert events.startswith("10,000 events (6,000 for train, 2,000 for validation, 2,000 for test)")
    assert auc.startswith("auc: how often a signal event scores above a background event")
    assert resolution.startswith("resolution: half the width")
    assert rival == "cnn lstm over mlp mass: +0.0320 [+0.0320, +0.0320] in test_auc, better in 3 of 3 seeds"
    half = 4.302653 * 0.001 / np.sqrt(3)
    ends = f"[{0.096 - half:+.4f}, {0.096 + half:+.4f}]"
    assert baseline == f"cnn lstm over visible_mass: +0.0960 {ends} in test_auc, better in 3 of 3 seeds"
    assert meaning.startswith("[ ]: 95 % interval of the mean difference, seed by seed")


def change(out, read, rewrite, **columns):
    table = read(out / "results.csv") | columns
    rows = [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)]
    rewrite(out / "results.csv", rows)


def test_one_seed_has_no_interval(own, read, rewrite):
    table = read(own / "results.csv")
    rows = [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)]
    rewrite(own / "results.csv", [row for row in rows if row["seed"] in ("1", "")])
    assert explain(own)[3:] == [
        "cnn lstm over mlp mass: +0.0320 in test_auc, better in 1 of 1 seeds",
        "cnn lstm over visible_mass: +0.0950 in test_auc, better in 1 of 1 seeds",
    ]


def test_methods_without_a_common_seed_are_not_compared(own, read, rewrite):
    change(own, read, rewrite, seed=["1", "2", "3", "4", "5", "6", ""])
    assert explain(own)[3] == "cnn lstm over mlp mass: no seed in common in test_auc"


def test_a_baseline_is_compared_on_its_own_fold(own, read, rewrite):
    change(own, read, rewrite, fold=["a", "a", "b", "a", "a", "b", "a"])
    sentences = explain(own)
    assert "cnn lstm over visible_mass: +0.0955" in sentences[4]
    assert sentences[4].endswith("better in 2 of 2 trainings")
    assert "over folds it is too narrow" in sentences[5]


def test_a_method_that_searched_is_one_row_of_its_chosen_trials(own, read, rewrite):
    change(own, read, rewrite, method=["grid"] * 6 + ["visible_mass"])
    _, rows = lines(own)
    assert rows[0][:3] == ["grid", "3 of 6", "0.9060 \N{PLUS-MINUS SIGN} 0.0010"]
    assert explain(own)[3] == "grid: for each seed the best of its architectures by validation_auc, 6 trials"
