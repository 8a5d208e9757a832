"""Opening a table: what is in it, and everything that can be wrong with its files."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tsunagu.data import ArraySource, open_table
from tsunagu.errors import DataError

PADDING = "; if it is padding, data.missing: {%s: 0.0} replaces it"


def lines_of(*arguments, **named):
    with pytest.raises(DataError) as error:
        open_table(*arguments, **named)
    return str(error.value).splitlines()


def half(events, start, stop):
    return {name: array[start:stop] for name, array in events.items()}


class TestContents:
    def test_columns_are_contiguous_tensors_of_three_dtypes(self, write, events, folds):
        table = open_table(write("a", events), columns={"p": ["jet_pt", "jet_eta"]}, folds=folds)
        assert set(table.columns) == {*events, "p"}
        assert all(column.is_contiguous() for column in table.columns.values())
        assert {column.dtype for column in table.columns.values()} == {torch.float32, torch.int64, torch.bool}
        assert table.columns["image"].shape == (200, 2, 3, 4)
        np.testing.assert_array_equal(table.columns["image"].numpy(), events["image"])
        np.testing.assert_array_equal(table.columns["p"][..., 1].numpy(), events["jet_eta"])

    def test_only_the_needed_columns(self, write, events, folds):
        table = open_table(write("a", events), weight="weight", folds=folds, needed=["met"])
        assert list(table.columns) == ["met"]
        assert len(table) == 200

    def test_files_are_put_one_after_the_other(self, write, events, folds):
        files = [write("b", half(events, 0, 50)), write("a", half(events, 50, 200))]
        table, one = open_table(files, folds=folds), open_table(ArraySource(events), folds=folds)
        assert table.files == tuple(map(str, files))
        assert table.file_rows == (50, 150)
        assert table.fingerprint == one.fingerprint

    def test_roles_may_be_derived_columns(self, source, events, folds):
        renames = {"evt": "event_number", "w": "weight"}
        table = open_table(
            source(events), columns=renames, weight="w", event_number="evt", folds=folds, needed=["met"]
        )
        np.testing.assert_array_equal(table.event_number.numpy(), events["event_number"])
        np.testing.assert_array_equal(table.weight.numpy(), events["weight"])

    def test_the_fold_is_that_of_the_splits(self, source, events, folds):
        table = open_table(source(events), folds=folds)
        split = table.split(folds)
        assert (table.fold[split.test] == 0).all()
        assert (table.fold[split.validation] == 1).all()
        assert (table.fold[split.train] > 1).all()


class TestWeights:
    def test_weights_keep_double_precision(self, source, events, folds):
        events["weight"] = events["weight"] + 1e-12
        table = open_table(source(events), weight="weight", folds=folds)
        np.testing.assert_array_equal(table.weight.numpy(), events["weight"])
        assert table.columns["weight"].dtype == torch.float32

    def test_training_weight_is_the_size_of_the_weight_with_mean_one(self, source, events, folds):
        table = open_table(source(events), weight="weight", folds=folds)
        size = np.abs(events["weight"])
        np.testing.assert_allclose(table.train_weight.numpy(), size / size.mean(), rtol=1e-6)
        assert table.train_weight.dtype == torch.float32

    def test_the_unit_of_the_weight_does_not_reach_the_training(self, source, events, folds):
        large = events | {"weight": events["weight"] * 4096.0}
        tables = [open_table(source(sample), weight="weight", folds=folds) for sample in (events, large)]
        assert torch.equal(tables[0].train_weight, tables[1].train_weight)

    def test_a_named_training_weight_keeps_its_signs(self, source, events, folds):
        table = open_table(source(events), train_weight="weight", folds=folds)
        assert (table.train_weight < 0).sum() == (events["weight"] < 0).sum()
        assert table.train_weight.abs().mean().item() == pytest.approx(1.0)
        assert (table.weight == 1).all()

    def test_no_weights_are_ones(self, source, events, folds):
        table = open_table(source(events), folds=folds)
        assert (table.weight == 1).all()
        assert table.weight.dtype == torch.float64
        assert (table.train_weight == 1).all()


class TestFingerprint:
    @pytest.fixture
    def mark(self, folds):
        return lambda arrays, **named: (
            open_table(ArraySource(arrays), weight="weight", folds=folds, **named).fingerprint
        )

    def test_the_order_of_the_columns_and_the_format_do_not_matter(self, mark, write, events, folds):
        turned = dict(reversed(events.items()))
        assert mark(turned) == mark(events)
        assert open_table(write("a", events), weight="weight", folds=folds).fingerprint == mark(events)

    def test_the_folds_do_not_matter(self, events):
        prints = {
            open_table(ArraySource(events), folds=SimpleNamespace(k=k, test=0, validation=1)).fingerprint
            for k in (3, 4)
        }
        assert len(prints) == 1

    @pytest.mark.parametrize("name", ["met", "weight", "event_number", "passed", "is_higgs", "image"])
    def test_every_value_matters(self, mark, events, name):
        before = mark(events)
        changed = events[name].copy()
        changed[3] = ~changed[3] if name == "passed" else -changed[3] - 1
        assert mark(events | {name: changed}) != before

    def test_weights_matter_where_they_are_no_column(self, mark, events):
        before = mark(events, needed=["met"])
        assert mark(events | {"weight": events["weight"] + 1e-9}, needed=["met"]) != before

    def test_names_shapes_and_order_of_rows_matter(self, mark, events):
        prints = [
            mark(events),
            mark({("mett" if name == "met" else name): array for name, array in events.items()}),
            mark(events | {"image": events["image"].reshape(200, 3, 2, 4)}),
            mark({name: array[::-1] for name, array in events.items()}),
        ]
        assert len(set(prints)) == 4

    def test_columns_that_are_not_used_do_not_matter(self, mark, events):
        other = events | {"image": events["image"] + 1}
        assert mark(events, needed=["met"]) == mark(other, needed=["met"])


class TestMistakes:
    def test_all_at_once_each_with_file_column_and_count(self, write, events, folds):
        events["met"][:3] = np.nan
        events["jet_pt"][7, 1] = np.inf
        events["event_number"][10] = events["event_number"][11]
        events["weight"] -= 10.0
        path = write("a", events)
        repeated = "1 event number occurs more than once, the first is 1011 (2 times)"
        lines = lines_of(path, columns={"p": "jet_ptt"}, weight="weight", folds=folds)
        assert lines[:4] == [
            f"{path}: no column 'jet_ptt' (did you mean 'jet_pt'?); 'p' is made of it",
            f"{path}: column 'met': NaN in 3 of 200 events, the first in row 0{PADDING % 'met'}",
            f"{path}: column 'jet_pt': infinite (or beyond 3.4e38) in 1 of 200 events, the first in row 7",
            f"{path}: column 'event_number': {repeated}",
        ]
        assert all("column 'weight': the sum over" in line for line in lines[4:])
        assert len(lines) == 8

    def test_nan_is_found_in_the_file_that_has_it(self, source, events, folds):
        events["met"][120] = -np.inf
        files = [source(half(events, 0, 100), "a"), source(half(events, 100, 200), "b")]
        assert lines_of(files, folds=folds) == [
            "b: column 'met': infinite (or beyond 3.4e38) in 1 of 100 events, the first in row 20"
        ]

    def test_nan_in_a_column_that_is_not_used_is_no_mistake(self, source, events, folds):
        events["met"][0] = np.nan
        assert len(open_table(source(events), folds=folds, needed=["jet_pt"])) == 200

    def test_values_too_large_for_single_precision_are_infinite(self, source, events, folds):
        sample = events | {"big": np.full(200, 1e300)}
        assert (
            "column 'big': infinite (or beyond 3.4e38) in 200 of 200"
            in lines_of(source(sample), folds=folds)[0]
        )

    def test_large_weights_are_not_infinite(self, source, events, folds):
        sample = events | {"weight": np.full(200, 1e300)}
        table = open_table(source(sample), weight="weight", folds=folds, needed=["met"])
        assert (table.train_weight == 1).all()

    def test_nan_weights_are_reported_once(self, source, events, folds):
        events["weight"][5] = np.nan
        assert lines_of(source(events, "a"), weight="weight", folds=folds) == [
            f"a: column 'weight': NaN in 1 of 200 events, the first in row 5{PADDING % 'weight'}"
        ]

    def test_unequal_lengths(self, source, events, folds):
        sample = events | {"met": events["met"][:-1]}
        assert lines_of(source(sample, "a"), folds=folds) == [
            "a: column 'met' has 199 events, the others 200"
        ]

    def test_a_file_that_cannot_be_read_does_not_hide_the_others(self, source, events, folds):
        huge = half(events, 0, 100) | {"is_higgs": np.full(100, 2**63, dtype=np.uint64)}
        events["met"][150] = np.nan
        lines = lines_of([source(huge, "a"), source(half(events, 100, 200), "b")], folds=folds)
        assert lines[0].startswith("a: column 'is_higgs': 100 of 100 values are larger")
        assert lines[1].startswith("b: column 'met': NaN")

    def test_the_same_event_in_two_files(self, source, events, folds):
        files = [
            source(half(events, 0, 90), "a"),
            source(half(events, 80, 200), "b"),
            source(shifted(events), "c"),
        ]
        assert lines_of(files, folds=folds) == [
            "a, b: column 'event_number': 10 event numbers occur more than once, the first is 1080 (2 times)"
        ]

    @pytest.mark.parametrize("bad", [np.arange(200.0), np.arange(400).reshape(200, 2)])
    def test_event_numbers_must_be_whole_numbers(self, source, events, folds, bad):
        lines = lines_of(source(events | {"event_number": bad}, "a"), folds=folds)
        found = f"column 'event_number' is {bad.dtype} [{'E, 2' if bad.ndim == 2 else 'E'}]"
        assert lines == [f"a: {found}: an event number must be one whole number for each event"]

    def test_weights_must_be_one_number(self, source, events, folds):
        assert lines_of(source(events, "a"), weight="jet_pt", folds=folds) == [
            "a: column 'jet_pt' is float32 [E, 2]: a weight must be one number for each event"
        ]

    def test_a_missing_weight_is_a_typo(self, source, events, folds):
        assert lines_of(source(events, "a"), weight="wieght", folds=folds) == [
            "a: no column 'wieght' (did you mean 'weight'?)"
        ]

    def test_the_sum_of_every_split(self, source, events, folds):
        table = open_table(source(events), folds=folds)
        events["weight"] = np.where(table.fold.numpy() == 1, -1.0, 2.0)
        count = int((table.fold == 1).sum())
        found = f"is {-count} ({count} events, {count} negative); it must be positive"
        assert lines_of(source(events, "a"), weight="weight", folds=folds) == [
            f"a: column 'weight': the sum over the validation split (fold 1 of 5) {found}"
        ]

    def test_empty_splits(self, source, events):
        folds = SimpleNamespace(k=2, test=0, validation=1)
        assert lines_of(source(events, "a"), folds=folds) == [
            "a: the train split (the other folds of 2) has no event"
        ]

    def test_one_fold_cannot_be_for_test_and_validation(self, source, events):
        folds = SimpleNamespace(k=5, test=2, validation=2)
        assert lines_of(source(events, "a"), folds=folds) == [
            "a: the validation split (fold 2 of 5) has no event"
        ]

    def test_no_events_at_all(self, source, events, folds):
        lines = lines_of(source(half(events, 0, 0), "a"), folds=folds)
        assert [line.split(" (")[0] for line in lines] == [
            "a: the train split",
            "a: the validation split",
            "a: the test split",
        ]


def shifted(events):
    return events | {"event_number": events["event_number"] + 10_000}


class TestMissing:
    @pytest.fixture
    def padded(self, events):
        events["jet_pt"][[3, 8, 9], 1] = np.nan
        events["jet_eta"][3, 1] = np.nan
        return events

    def test_nan_is_replaced_where_it_is_declared(self, write, padded, folds):
        missing = {"jet_pt": 0.0, "jet_eta": -10.0}
        path = write("a", padded)
        table = open_table(path, columns={"p": ["jet_pt", "jet_eta"]}, missing=missing, folds=folds)
        assert table.columns["p"][3, 1].tolist() == [0.0, -10.0]
        assert table.notes == (
            f"{path}: column 'jet_pt': NaN in 3 of 200 events replaced by 0",
            f"{path}: column 'jet_eta': NaN in 1 of 200 events replaced by -10",
        )

    def test_the_fingerprint_sees_the_replacement(self, source, padded, folds):
        prints = {
            open_table(source(padded), missing={"jet_pt": x, "jet_eta": 0.0}, folds=folds).fingerprint
            for x in (0.0, 1.0)
        }
        filled = {name: np.nan_to_num(array) for name, array in padded.items()}
        assert len(prints) == 2
        assert open_table(source(filled), folds=folds).fingerprint in prints

    def test_the_arrays_of_the_user_keep_their_nan(self, source, padded, folds):
        open_table(source(padded), missing={"jet_pt": 0.0, "jet_eta": 0.0}, folds=folds)
        assert np.isnan(padded["jet_pt"]).sum() == 3

    def test_infinities_stay_mistakes(self, source, padded, folds):
        padded["jet_pt"][5] = np.inf
        assert lines_of(source(padded, "a"), missing={"jet_pt": 0.0, "jet_eta": 0.0}, folds=folds) == [
            "a: column 'jet_pt': infinite (or beyond 3.4e38) in 1 of 200 events, the first in row 5"
        ]

    def test_a_column_without_nan_gives_no_note(self, source, events, folds):
        missing = {"met": 0.0, "is_higgs": 0.0}
        assert open_table(source(events), missing=missing, folds=folds).notes == ()

    def test_a_name_that_is_no_column_of_the_files(self, source, events, folds):
        columns = {"p": ["jet_pt", "jet_eta"]}
        assert lines_of(
            source(events, "a"), columns=columns, missing={"jet_tp": 0.0, "p": 0.0}, folds=folds
        ) == [
            "a: no column 'jet_tp' (did you mean 'jet_pt'?)",
            "a: no column 'p' (valid: event_number, image, is_higgs, jet_eta, jet_pt, met, passed, weight)",
        ]
