"""All figures of a made-up study: which files there are, what stands in them, and what happens where pieces miss."""

from __future__ import annotations

import json
import shutil
import struct
from concurrent.futures import ThreadPoolExecutor

import matplotlib as mpl
import numpy as np
import pytest

from tsunagu.errors import DataError, ResumeError
from tsunagu.metrics import auc, weighted_quantile
from tsunagu.report import is_current, report
from tsunagu.report.momenta import draw_response
from tsunagu.report.reading import read_outcome
from tsunagu.report.roc import draw_roc
from tsunagu.report.style import save

METHODS = ("cnn_lstm", "mlp_mass")
STEMS = {
    "calibration_score",
    "choices_calibrate",
    "response_tau_p4",
    "roc_score",
    "violin_auc",
    "violin_resolution",
    *(f"{kind}_{name}" for kind in ("mass_tau_p4", "scores_score", "learning") for name in METHODS),
}


def arrays_of(out, name):
    with np.load(out / "trials" / name / "predictions.npz") as stored:
        return {key: value.astype(np.float64) for key, value in stored.items()}


def column(table, name, **where):
    chosen = [
        i for i in range(len(table[name])) if all(table[key][i] == value for key, value in where.items())
    ]
    return np.array([float(table[name][i] or "nan") for i in chosen])


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def edit_summary(out, **changes):
    path = out / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def names(paths):
    return {path.name for path in paths}


def test_every_figure_is_there_as_picture_page_and_numbers(figures):
    expected = {f"{stem}.{suffix}" for stem in STEMS for suffix in ("png", "pdf", "csv")} | {"methods.md"}
    assert names(figures.iterdir()) == expected | {"overview.png", "overview.pdf", ".made_from"}


def test_pictures_and_pages_are_whole_and_hold_no_date_and_no_version(figures):
    for path in figures.glob("*.png"):
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert b"IEND" in content[-12:]
        assert b"atplotlib" not in content
    for path in figures.glob("*.pdf"):
        content = path.read_bytes()
        assert content.startswith(b"%PDF-")
        assert content.rstrip().endswith(b"%%EOF")
        assert b"CreationDate" not in content
        assert b"atplotlib" not in content


def test_figures_have_one_size(figures):
    sizes = {
        stem: struct.unpack(">II", (figures / f"{stem}.png").read_bytes()[16:24])
        for stem in STEMS
        if not stem.startswith("learning")
    }
    assert set(sizes.values()) == {(1080, 840)}


def test_again_gives_the_same_bytes_prints_nothing_and_touches_no_setting(finished, figures, tmp_path, capfd):
    before = dict(mpl.rcParams)
    written = report(finished, tmp_path)
    assert capfd.readouterr() == ("", "")
    assert dict(mpl.rcParams) == before
    assert names(written) == names(tmp_path.iterdir()) - {".made_from"}
    assert bytes_of(tmp_path) == bytes_of(figures)


def test_threads_do_not_disturb_each_other(finished, figures, tmp_path):
    def draw(number):
        outcome = read_outcome(finished)
        kind = (draw_roc, draw_response)[number % 2]
        output = next(each for each in outcome.outputs if each.classifies == (kind is draw_roc))
        return [path.read_bytes() for path in save(kind(outcome, output), tmp_path / str(number))]

    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(draw, range(4)))
    for number, stem in enumerate(("roc_score", "response_tau_p4") * 2):
        assert drawn[number] == [(figures / f"{stem}.{kind}").read_bytes() for kind in ("png", "pdf", "csv")]


def test_roc_numbers(finished, figures, read):
    table = read(figures / "roc_score.csv")
    assert list(dict.fromkeys(table["method"])) == ["cnn lstm", "mlp mass", "visible_mass"]
    areas, at_half = [], []
    for seed in (1, 2, 3):
        stored = arrays_of(finished, f"cnnlstm{seed}")
        score, label, weight = (stored[f"test_{name}"] for name in ("score", "is_higgs", "weight"))
        areas.append(auc(score, label, weight))
        threshold = weighted_quantile(score[label == 1], weight[label == 1], 0.5)
        background = label == 0
        at_half.append(weight[background].sum() / weight[background & (score > threshold)].sum())
    assert column(table, "auc", method="cnn lstm") == pytest.approx(np.mean(areas))
    rejection = column(table, "background_rejection", method="cnn lstm")
    efficiency = column(table, "signal_efficiency", method="cnn lstm")
    assert efficiency[49] == pytest.approx(0.5)
    assert rejection[49] == pytest.approx(np.exp(np.mean(np.log(at_half))), rel=0.02)
    assert set(table["seeds"]) == {"3", "1"}


@pytest.mark.parametrize("method", ["cnn lstm", "mlp mass", "visible_mass"])
def test_roc_curves_fall(figures, read, method):
    table = read(figures / "roc_score.csv")
    rejection, low, high = (
        column(table, name, method=method) for name in ("background_rejection", "low", "high")
    )
    known = np.isfinite(rejection)
    assert known.sum() > 50
    assert (np.diff(rejection[known]) <= 1e-9).all()
    assert ((low <= rejection) & (rejection <= high))[known].all()


def test_score_numbers(finished, figures, read):
    table = read(figures / "scores_score_mlp_mass.csv")
    first_bin = []
    for seed in (1, 2, 3):
        stored = arrays_of(finished, f"mlpmass{seed}")
        signal = stored["validation_is_higgs"] == 1
        inside = 1 / (1 + np.exp(-stored["validation_score"])) < 0.05
        weight = stored["validation_weight"]
        first_bin.append(weight[signal & inside].sum() / weight[signal].sum())
    chosen = {"split": "validation", "class": "signal"}
    fraction, high = column(table, "fraction", **chosen), column(table, "high", **chosen)
    assert fraction[high <= 0.0500001].sum() == pytest.approx(np.mean(first_bin))
    for split in ("test", "validation"):
        for kind in ("signal", "background"):
            assert column(table, "fraction", split=split, **{"class": kind}).sum() == pytest.approx(1)


def test_response_numbers(finished, figures, read):
    table = read(figures / "response_tau_p4.csv")
    assert list(dict.fromkeys(table["method"])) == ["before (jet_p4)", "cnn lstm", "mlp mass"]
    stored = arrays_of(finished, "cnnlstm1")
    true, weight = stored["test_true_tau_p4"][..., 0], np.stack([stored["test_weight"]] * 2, axis=1)
    before = {"method": "before (jet_p4)"}
    low, high = column(table, "true_pt_low", **before)[2], column(table, "true_pt_high", **before)[2]
    inside = (true >= low) & (true < high)
    ratio = stored["test_jet_p4"][..., 0][inside] / true[inside]
    q16, q50, q84 = weighted_quantile(ratio, weight[inside], (0.16, 0.5, 0.84))
    assert column(table, "response_50", **before)[2] == pytest.approx(q50)
    assert column(table, "resolution", **before)[2] == pytest.approx((q84 - q16) / 2 / q50)
    assert (column(table, "resolution_spread", **before) == 0).all()
    assert (column(table, "resolution_spread", method="cnn lstm") > 0).all()


def test_mass_numbers(finished, figures, read):
    table = read(figures / "mass_tau_p4_cnn_lstm.csv")
    stored = arrays_of(finished, "cnnlstm1")
    pt, eta, phi, mass = np.moveaxis(stored["test_jet_p4"], 2, 0)
    momentum = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    energy = np.sqrt((momentum**2).sum(axis=0) + mass**2)
    pair = np.sqrt(energy.sum(axis=1) ** 2 - (momentum.sum(axis=2) ** 2).sum(axis=0))
    signal, weight = stored["test_is_higgs"] == 1, stored["test_weight"]
    where = {"when": "before", "class": "signal"}
    low, high = column(table, "mass_low", **where), column(table, "mass_high", **where)
    for place in (3, 8, 12):
        inside = signal & (pair >= low[place]) & (pair < high[place])
        expected = weight[inside].sum() / weight[signal].sum()
        assert column(table, "fraction", **where)[place] == pytest.approx(expected, rel=1e-6)
    centre = (low + high) / 2
    means = {
        kind: np.average(centre, weights=column(table, "fraction", when="after", **{"class": kind}))
        for kind in ("signal", "background")
    }
    assert means["signal"] > means["background"] + 15


def test_learning_numbers(finished, figures, read):
    table, history = (
        read(figures / "learning_cnn_lstm.csv"),
        read(finished / "trials" / "cnnlstm2" / "history.csv"),
    )
    drawn = column(table, "valid_loss", seed="2", stage="joint")
    expected = [
        float(v) for v, stage in zip(history["valid_loss"], history["stage"], strict=True) if stage == "joint"
    ]
    assert drawn == pytest.approx(expected)
    assert len(column(table, "epoch")) == 3 * (19 + 18 + 17)


@pytest.mark.usefixtures("quick")
def test_overview_needs_no_baseline_and_no_second_seed(own, read, rewrite):
    table = read(own / "results.csv")
    rows = [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)]
    rewrite(own / "results.csv", [row for row in rows if row["seed"] == "1"])
    (own / "study.yaml").unlink()
    assert "overview.png" in names(report(own))


@pytest.mark.parametrize("name", ["summary.json", "results.csv", "trials/cnnlstm2/history.csv"])
@pytest.mark.usefixtures("quick")
def test_a_missing_file_is_named(own, name):
    (own / name).unlink()
    with pytest.raises(ResumeError, match=r"no such file; run the study") as caught:
        report(own)
    assert str(own / name) in str(caught.value)


@pytest.mark.parametrize("name", ["summary.json", "baselines.npz", "trials/mlpmass1/predictions.npz"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip"])
@pytest.mark.usefixtures("quick")
def test_a_damaged_file_is_named(own, name, content):
    (own / name).write_bytes(content)
    with pytest.raises(ResumeError, match="cannot be read") as caught:
        report(own)
    assert str(own / name) in str(caught.value)


@pytest.mark.usefixtures("quick")
def test_missing_trials_are_all_named_before_anything_is_drawn(own):
    for name in ("cnnlstm1", "mlpmass3"):
        shutil.rmtree(own / "trials" / name)
    with pytest.raises(ResumeError, match="no such folder") as caught:
        report(own)
    assert "cnnlstm1" in str(caught.value)
    assert "mlpmass3" in str(caught.value)
    assert not (own / "figures").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line of numbers"),
        ("method,seed,digest\n", "no line of numbers"),
        ("metod,seed,digest\na,1,b\n", r"no column method \(did you mean 'metod'\?\)"),
        ("method,seed,digest\na,1\n", "results.csv:2: 2 cells where the header has 3"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_results_that_are_no_table_are_refused(own, text, message):
    (own / "results.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        report(own)


@pytest.mark.usefixtures("quick")
def test_a_summary_that_lacks_something_is_refused(own):
    (own / "summary.json").write_text('{"name": "x"}', encoding="utf-8")
    with pytest.raises(DataError, match=r"summary.json: no metric, outputs in it"):
        report(own)


@pytest.mark.usefixtures("quick")
def test_columns_of_unlike_lengths_are_refused(own, change_predictions):
    change_predictions(own, lambda arrays: arrays.update(test_weight=arrays["test_weight"][1:]))
    with pytest.raises(DataError, match=r"predictions.npz: columns of unlike lengths \(test_score: \d+"):
        report(own)


@pytest.mark.usefixtures("quick")
def test_a_history_that_is_no_number_is_refused(own):
    path = own / "trials" / "cnnlstm1" / "history.csv"
    path.write_text("stage,epoch,train_loss,valid_loss\njoint,1,low,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"history.csv: column train_loss: .*'low'"):
        report(own)


@pytest.mark.usefixtures("quick")
def test_figures_go_beside_the_results_by_default(own):
    assert {path.parent for path in report(str(own))} == {own / "figures"}


@pytest.mark.usefixtures("quick")
def test_a_place_that_cannot_be_written_is_named(own):
    (own / "file").write_text("", encoding="utf-8")
    with pytest.raises(ResumeError, match="cannot be written"):
        report(own, own / "file" / "figures")


@pytest.mark.usefixtures("quick")
def test_without_reconstructed_objects_only_after_is_drawn(own, change_predictions, read):
    change_predictions(own, lambda arrays: arrays.pop("test_jet_p4"))
    report(own)
    assert "before" not in read(own / "figures" / "mass_tau_p4_cnn_lstm.csv")["when"]
    assert set(read(own / "figures" / "response_tau_p4.csv")["method"]) == {"cnn lstm", "mlp mass"}
    assert "test_jet_p4" in (own / "figures" / "left_out.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("quick")
def test_what_is_left_out_is_told_until_it_is_there(own):
    with np.load(own / "baselines.npz") as stored:
        arrays = dict(stored)
    np.savez(own / "baselines.npz", **{name: part for name, part in arrays.items() if "vis" not in name})
    note = own / "figures" / "left_out.txt"
    assert note in report(own)
    told = note.read_text(encoding="utf-8")
    assert "roc_score: baseline visible_mass: baselines.npz has no column test_vis_mass" in told
    np.savez(own / "baselines.npz", **arrays)
    assert note not in report(own)
    assert not note.exists()


@pytest.mark.usefixtures("quick")
def test_figures_are_current_until_the_tables_change(own):
    folder = own / "figures"
    assert not is_current(own, folder)
    report(own)
    assert is_current(own, folder)
    (own / "results.csv").write_text(
        (own / "results.csv").read_text(encoding="utf-8") + "\n", encoding="utf-8"
    )
    assert not is_current(own, folder)


@pytest.mark.usefixtures("quick")
def test_a_score_that_is_nowhere_leaves_out_its_figures(own, change_predictions):
    change_predictions(own, lambda arrays: arrays.pop("test_score"))
    written = names(report(own))
    assert "roc_score.png" not in written
    assert {"response_tau_p4.png", "learning_cnn_lstm.png", "left_out.txt"} <= written
    told = (own / "figures" / "left_out.txt").read_text(encoding="utf-8")
    assert all(f"{stem}: " in told for stem in ("overview", "roc_score", "scores_score_cnn_lstm"))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.usefixtures("quick")
def test_scores_that_are_not_finite_are_left_out(own, change_predictions, bad):
    change_predictions(own, lambda arrays: arrays["test_score"].__setitem__(0, bad))
    assert "roc_score.png" not in names(report(own))
    assert "is not finite everywhere" in (own / "figures" / "left_out.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("quick")
def test_an_output_that_no_loss_looked_at_is_no_momentum(own, read):
    for trial in own.glob("trials/cnnlstm*"):
        text = (trial / "spec.yaml").read_text(encoding="utf-8")
        (trial / "spec.yaml").write_text(
            text.replace("intermediate: true", "intermediate: false"), encoding="utf-8"
        )
    written = names(report(own))
    assert "mass_tau_p4_cnn_lstm.png" not in written
    assert {"overview.png", "mass_tau_p4_mlp_mass.png"} <= written
    told = (own / "figures" / "left_out.txt").read_text(encoding="utf-8")
    assert told.splitlines() == [
        "violin_resolution: method cnn lstm: no loss looks at what test_resolution is taken of",
        "response_tau_p4: method cnn lstm does not train tau_p4 on true_tau_p4",
    ]
    assert "cnn lstm" not in read(own / "figures" / "response_tau_p4.csv")["method"]


@pytest.mark.usefixtures("quick")
def test_objects_without_any_momentum_do_no_harm(own, change_predictions):
    change_predictions(own, lambda arrays: arrays.update(test_tau_p4=np.zeros_like(arrays["test_tau_p4"])))
    assert {"response_tau_p4.png", "mass_tau_p4_cnn_lstm.png"} <= names(report(own))


@pytest.mark.usefixtures("quick")
def test_events_with_one_object_have_no_mass(own, change_predictions):
    def first_only(arrays):
        arrays |= {name: values[:, :1] for name, values in arrays.items() if name.endswith("_p4")}

    change_predictions(own, first_only)
    written = names(report(own))
    assert "response_tau_p4.png" in written
    assert "mass_tau_p4_cnn_lstm.png" not in written
    assert "test_tau_p4 is [E, 1, 3]" in (own / "figures" / "left_out.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("quick")
def test_three_classes_are_drawn_one_against_the_rest(own, change_predictions):
    def three(arrays):
        for split in ("test", "validation"):
            label = np.arange(len(arrays[f"{split}_score"])) % 3
            arrays[f"{split}_is_higgs"] = label
            arrays[f"{split}_score"] = np.eye(3)[label] + np.linspace(0, 1, len(label))[:, None] * [
                0.9,
                -0.4,
                0.3,
            ]

    change_predictions(own, three)
    summary = json.loads((own / "summary.json").read_text(encoding="utf-8"))["outputs"]
    edit_summary(own, outputs={"score": summary["score"] | {"loss": "cross_entropy"}})
    written = names(report(own))
    assert {f"roc_score_class{k}.csv" for k in range(3)} <= written
    assert "scores_score_class2_mlp_mass.png" in written


def _searched(own, read, rewrite, validation):
    """The six trials as one method that is chosen from by these numbers, and the baseline."""
    table = read(own / "results.csv") | {
        "method": ["grid"] * 6 + ["visible_mass"],
        "validation_auc": validation,
    }
    rows = [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)]
    rewrite(own / "results.csv", rows)
    return table


@pytest.mark.usefixtures("quick")
def test_a_method_that_searched_is_its_chosen_trials(own, read, rewrite):
    table = _searched(own, read, rewrite, ["0.9", "0.8", "nan", "0.8", "0.9", "0.7", "0.82"])
    report(own)
    assert set(read(own / "figures" / "roc_score.csv")["method"]) == {"grid", "visible_mass"}
    drawn = read(own / "figures" / "violin_auc.csv")
    chosen = [table["test_auc"][row] for row in (0, 4, 5)]
    assert column(drawn, "value") == pytest.approx([float(value) for value in [*chosen, "0.81"]])
    counts = read(own / "figures" / "choices_calibrate.csv")
    assert list(zip(*counts.values(), strict=True)) == [("grid", "cnn", "1"), ("grid", "mlp", "2")]


@pytest.mark.usefixtures("quick")
def test_a_seed_with_nothing_to_choose_by_is_told(own, read, rewrite):
    _searched(own, read, rewrite, ["0.9", "nan", "0.9", "0.8", "", "0.7", "0.82"])
    report(own)
    told = (own / "figures" / "left_out.txt").read_text(encoding="utf-8")
    assert "grid, seed 2: none of 2 architectures has a number on the validation events" in told
    assert read(own / "figures" / "violin_auc.csv")["seed"] == ["1", "3", ""]


@pytest.mark.usefixtures("quick")
def test_folds_have_events_of_their_own(own, read, rewrite):
    table = read(own / "results.csv") | {"fold": ["a", "b", "a"] * 2 + [""]}
    for name in ("cnnlstm2", "mlpmass2"):
        path = own / "trials" / name / "predictions.npz"
        with np.load(path) as stored:
            fewer = {key: values[: len(values) // 2] for key, values in stored.items()}
        np.savez(path, **fewer)
    rewrite(
        own / "results.csv",
        [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)],
    )
    written = names(report(own))
    assert {"mass_tau_p4_cnn_lstm.csv", "response_tau_p4.csv", "roc_score.csv", "overview.png"} <= written
    drawn = read(own / "figures" / "mass_tau_p4_cnn_lstm.csv")
    for when in ("before", "after"):
        assert column(drawn, "fraction", when=when, **{"class": "signal"}).sum() == pytest.approx(1, abs=0.03)
    assert read(own / "figures" / "violin_auc.csv")["fold"] == ["a", "b", "a"] * 2 + [""]
    assert set(read(own / "figures" / "learning_cnn_lstm.csv")["fold"]) == {"a", "b"}


@pytest.mark.usefixtures("quick")
def test_of_many_methods_the_best_on_the_validation_events_are_drawn(own, read, rewrite):
    table = read(own / "results.csv")
    row = {name: cells[0] for name, cells in table.items()}
    rows = [
        row | {"method": f"m{n:02}", "validation_auc": 0.5 + 0.01 * n, "test_auc": 0.9 - 0.01 * n}
        for n in range(11)
    ]
    rewrite(own / "results.csv", rows)
    report(own)
    drawn = set(read(own / "figures" / "roc_score.csv")["method"]) - {"visible_mass"}
    assert drawn == {f"m{n:02}" for n in range(3, 11)}
    told = (own / "figures" / "left_out.txt").read_text(encoding="utf-8")
    assert "only the best 8 methods on the validation events are drawn, not m00, m01, m02" in told
    assert [method.number for method in read_outcome(own).shown] == list(range(8))


@pytest.mark.usefixtures("quick")
def test_the_short_name_of_the_metric_is_enough_beside_the_study_file(own):
    edit_summary(own, metric="auc")
    with pytest.raises(DataError, match=r"metric: expected a call such as auc\(score, label\), found 'auc'"):
        report(own)
    (own / "study.yaml").write_text("metric: auc(score, is_higgs)\n", encoding="utf-8")
    assert "overview.png" in names(report(own))
