"""A table that is mapped: equal to the one in memory, with the same sentences, and converted once."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tsunagu.data import ArraySource, NpzSource, ParquetSource, open_table
from tsunagu.errors import DataError

LITTLE = 64 * 200
"""Bytes: for the rows' numbers of the sample, not for its columns; some pieces are of a single event."""

FOLDS = SimpleNamespace(k=5, test=0, validation=1)
DERIVED = {"p": ["jet_pt", "jet_eta"], "mixed": ["met", "is_higgs", "weight"]}


def opened(files, **named):
    return open_table(files, folds=FOLDS, **named)


def lines_of(*arguments, **named):
    with pytest.raises(DataError) as error:
        opened(*arguments, **named)
    return str(error.value).splitlines()


def part(events, start, stop):
    return {name: array[start:stop] for name, array in events.items()}


def npy_files(folder):
    return sorted(path for path in folder.rglob("*.npy"))


@pytest.fixture
def counted(monkeypatch):
    """The columns that are read in pieces, in their order."""
    read = []
    for reader in (NpzSource, ParquetSource):
        pieces = reader.pieces
        monkeypatch.setattr(
            reader,
            "pieces",
            lambda self, names, most, pieces=pieces: read.append(tuple(names)) or pieces(self, names, most),
        )
    return read


class TestContents:
    @pytest.mark.parametrize("memory", [LITTLE, 50_000])
    @pytest.mark.parametrize(
        "roles",
        [{}, {"weight": "weight"}, {"weight": "weight", "train_weight": "met"}, {"weight": "is_higgs"}],
        ids=lambda roles: "-".join(roles.values()) or "none",
    )
    def test_everything_equals_the_table_in_memory(self, write, events, roles, memory):
        files = [write("b", part(events, 0, 70)), write("a", part(events, 70, 200))]
        whole = opened(files, columns=DERIVED, **roles)
        mapped = opened(files, columns=DERIVED, memory=memory, **roles)
        assert (whole.is_mapped, mapped.is_mapped) == (False, True)
        assert mapped.fingerprint == whole.fingerprint
        assert list(mapped.columns) == list(whole.columns)
        for name, column in whole.columns.items():
            assert mapped.columns[name].dtype == column.dtype
            assert torch.equal(mapped.columns[name], column)
        for name in ("weight", "train_weight", "event_number", "fold"):
            assert getattr(mapped, name).dtype == getattr(whole, name).dtype
            assert torch.equal(getattr(mapped, name), getattr(whole, name))
        assert (mapped.files, mapped.file_rows) == (whole.files, whole.file_rows)

    def test_files_of_unlike_precision(self, tmp_path, events):
        double = part(events, 0, 70) | {"weight": events["weight"][:70] + 1e-12}
        single = part(events, 70, 200) | {"weight": events["weight"][70:].astype(np.float32)}
        for name, sample in (("a", double), ("b", single)):
            np.savez(tmp_path / f"{name}.npz", **sample)
        files = [tmp_path / "a.npz", tmp_path / "b.npz"]
        prints = {opened(files, weight="weight", memory=memory).fingerprint for memory in (None, LITTLE)}
        assert len(prints) == 1

    def test_replaced_values_and_their_notes(self, write, events):
        events["jet_pt"][[3, 8, 150], 1] = np.nan
        files = [write("a", part(events, 0, 100)), write("b", part(events, 100, 200))]
        named = {"columns": DERIVED, "missing": {"jet_pt": 0.0, "jet_eta": -10.0, "met": 1.0}}
        whole = opened(files, **named)
        first, second = (opened(files, memory=LITTLE, **named) for _ in range(2))
        assert len(whole.notes) == 2
        assert first.notes == second.notes == whole.notes
        assert first.fingerprint == second.fingerprint == whole.fingerprint

    def test_rows_that_are_taken_are_copies_in_memory(self, write, events):
        table = opened(write("a", events), memory=LITTLE)
        taken = table.take(["image", "met"], torch.tensor([5, 3]))
        taken["image"].zero_()
        np.testing.assert_array_equal(table.columns["image"].numpy(), events["image"])
        np.testing.assert_array_equal(taken["met"].numpy(), events["met"][[5, 3]])

    def test_the_splits_are_those_of_the_table_in_memory(self, write, events):
        path = write("a", events)
        splits = [opened(path, memory=memory).split(FOLDS).parts() for memory in (None, LITTLE)]
        assert all(torch.equal(splits[0][name], splits[1][name]) for name in splits[0])

    def test_the_table_knows_its_order(self, write, events):
        path = write("a", events)
        whole, mapped = (opened(path, memory=memory) for memory in (None, LITTLE))
        assert whole.order != mapped.order
        rows = torch.arange(150)
        for table in (whole, mapped):
            every = [batch.tolist() for batch in table.batches(rows, 7, 1, 0)]
            assert sorted(row for batch in every for row in batch) == rows.tolist()
            rest = table.batches(rows, 7, 1, 0, start=9, names=["image", "met"])
            assert [batch.tolist() for batch in rest] == every[9:]


class TestCache:
    def test_columns_are_converted_once(self, write, events, counted):
        path = write("a", events)
        first = opened(path, weight="weight", memory=LITTLE)
        assert counted
        counted.clear()
        assert opened(path, weight="weight", memory=LITTLE).fingerprint == first.fingerprint
        assert counted == []

    def test_another_study_converts_only_what_is_new(self, write, events, counted):
        path = write("a", events)
        opened(path, memory=LITTLE, needed=["image", "met"])
        counted.clear()
        named = {"columns": {"picture": "image", **DERIVED}, "needed": ["picture", "p"]}
        assert set(opened(path, memory=LITTLE, **named).columns) == {"p", "picture"}
        assert counted == [("jet_pt", "jet_eta")]

    def test_other_replacements_are_other_columns(self, write, events):
        events["met"][3] = np.nan
        path = write("a", events)
        values = [
            opened(path, memory=LITTLE, missing={"met": value}).columns["met"][3].item()
            for value in (0.0, 7.0, 0.0)
        ]
        assert values == [0.0, 7.0, 0.0]

    def test_a_changed_file_is_converted_again(self, write, events):
        path = write("a", events)
        before = opened(path, memory=LITTLE)
        events["met"][0] += 1
        write("a", events)
        os.utime(path, ns=(1, 1))
        after = opened(path, memory=LITTLE)
        assert after.fingerprint == opened(path).fingerprint != before.fingerprint

    def test_the_columns_are_beside_the_first_file_or_where_they_are_told_to_be(
        self, write, events, tmp_path
    ):
        path = write("a", events)
        opened(path, memory=LITTLE)
        assert npy_files(path.with_name(f"{path.name}.columns"))
        opened(path, memory=LITTLE, cache=tmp_path / "elsewhere")
        assert npy_files(tmp_path / "elsewhere")

    def test_a_table_that_fits_makes_no_files(self, write, events, tmp_path):
        table = opened(write("a", events), memory=10_000_000)
        assert not table.is_mapped
        assert npy_files(tmp_path) == []

    def test_arrays_in_memory_are_left_there(self, events):
        assert not opened(ArraySource(events), memory=LITTLE).is_mapped

    @pytest.mark.parametrize("damage", ["cut", "note", "gone"])
    def test_damaged_columns_are_made_again(self, write, events, damage):
        path = write("a", events)
        before = opened(path, memory=LITTLE)
        for column in npy_files(path.parent):
            if damage == "cut":
                os.truncate(column, 130)
            elif damage == "note":
                column.with_suffix(".json").write_text('{"key": ', encoding="utf-8")
            else:
                column.unlink()
        after = opened(path, memory=LITTLE)
        assert after.fingerprint == before.fingerprint
        assert torch.equal(after.columns["image"], opened(path).columns["image"])

    def test_a_killed_conversion_is_not_mistaken_for_a_whole_one(self, write, events, monkeypatch):
        path = write("a", events)

        def killed(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", killed)
            with pytest.raises(KeyboardInterrupt):
                opened(path, memory=LITTLE)
        assert npy_files(path.parent) == []
        assert opened(path, memory=LITTLE).fingerprint == opened(path).fingerprint

    def test_a_folder_that_cannot_be_written_is_named(self, write, events, tmp_path):
        (tmp_path / "taken").write_text("", encoding="utf-8")
        (line,) = lines_of(write("a", events), memory=LITTLE, cache=tmp_path / "taken")
        assert str(tmp_path / "taken") in line
        assert "cannot be written" in line
        assert "data.cache" in line

    def test_too_little_memory_for_the_rows_is_said(self, write, events):
        (line,) = lines_of(write("a", events), memory=LITTLE - 1)
        assert line.startswith(f"data.memory: {LITTLE - 1:,} bytes are too few for 200 events")
        assert line.endswith(f"at least {LITTLE:,} are needed")


def _nan(events):
    events["met"][[0, 120]] = np.nan
    events["jet_eta"][7, 1] = np.nan


def _infinite(events):
    events["jet_pt"][[7, 199], 1] = np.inf
    events["met"][150] = np.nan
    events["met"][151] = -np.inf


def _too_large(events):
    events["weight"][20] = 1e300
    events["big"] = np.full(200, 1e300)


def _repeated(events):
    events["event_number"][[10, 150, 199]] = events["event_number"][11]
    events["event_number"][60] = events["event_number"][61]


def _weights(events):
    events["weight"] -= 10.0
    events["event_number"][10] = events["event_number"][11]


def _roles(events):
    events["weight"] = events["jet_pt"].astype(np.float64)
    events["event_number"] = events["event_number"].astype(np.float64)


def _unsigned(events):
    events["is_higgs"] = np.full(200, 2**63, dtype=np.uint64)
    events["is_higgs"][:150] = 1


class TestMistakes:
    @pytest.mark.parametrize("spoil", [_nan, _infinite, _too_large, _repeated, _weights, _roles])
    def test_the_sentences_are_those_of_the_table_in_memory(self, write, events, spoil):
        spoil(events)
        files = [write("b", part(events, 0, 90)), write("a", part(events, 90, 200))]
        named = {"weight": "weight", "columns": DERIVED}
        told = lines_of(files, **named)
        assert told
        assert lines_of(files, memory=LITTLE, **named) == told
        assert not list(files[0].parent.rglob("*.part"))

    def test_a_column_with_a_mistake_is_read_again_the_next_time(self, write, events):
        _nan(events)
        path = write("a", events)
        told = [lines_of(path, memory=LITTLE) for _ in range(2)]
        assert told[0] == told[1]

    def test_whole_numbers_that_are_too_large(self, tmp_path, events):
        _unsigned(events)
        np.savez(tmp_path / "a.npz", **events)
        np.savez(tmp_path / "b.npz", **events | {"event_number": events["event_number"] + 1000})
        files = [tmp_path / "a.npz", tmp_path / "b.npz"]
        assert lines_of(files, memory=2 * LITTLE) == lines_of(files)

    def test_unequal_lengths(self, tmp_path, events):
        np.savez(tmp_path / "a.npz", **events | {"met": events["met"][:-1]})
        assert lines_of(tmp_path / "a.npz", memory=LITTLE) == lines_of(tmp_path / "a.npz")

    def test_lists_of_unlike_lengths(self, tmp_path, events):
        import pyarrow as pa
        import pyarrow.parquet as pq

        lists = [[1.0, 2.0]] * 100 + [[1.0], [], None] + [[3.0, 4.0]] * 97
        holes = pa.array([None if n in (5, 150) else n for n in range(200)])
        table = {
            "event_number": events["event_number"],
            "x": pa.array(lists),
            "n": holes,
            "image": events["met"],
        }
        pq.write_table(pa.table(table), tmp_path / "a.parquet", row_group_size=30)
        told = lines_of(tmp_path / "a.parquet")
        assert len(told) == 2
        assert sorted(lines_of(tmp_path / "a.parquet", memory=LITTLE)) == sorted(told)

    @pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
    def test_damaged_npz_columns(self, tmp_path, events, save):
        path = tmp_path / "a.npz"
        sample = {"event_number": np.arange(50_000), "x": np.random.default_rng(1).random(50_000)}
        save(path, **sample)
        whole = bytearray(path.read_bytes())
        whole[-40_000] ^= 0xFF
        path.write_bytes(bytes(whole))
        (line,) = lines_of(path, memory=64 * 50_000, columns={"y": ["x", "x"]})
        assert line.startswith(f"{path}: column 'x' cannot be read: ")

    def test_fortran_order_cannot_be_read_in_pieces(self, tmp_path, events):
        turned = {"x": np.asfortranarray(np.ones((200, 100))), "event_number": events["event_number"]}
        np.savez(tmp_path / "a.npz", **turned)
        (line,) = lines_of(tmp_path / "a.npz", memory=LITTLE)
        assert "column 'x' is stored in Fortran order" in line
        assert "numpy.ascontiguousarray" in line
