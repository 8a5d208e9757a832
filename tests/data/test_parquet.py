"""Parquet: lists of every kind, missing values, damaged files."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tsunagu.data import ParquetSource
from tsunagu.errors import DataError


def save(tmp_path, columns, fields=None):
    table = pa.table(columns, schema=pa.schema(fields) if fields else None)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=3)
    return ParquetSource(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 2)]
)
def test_lists_of_one_length_are_an_axis(tmp_path, kind):
    source = save(tmp_path, {"x": pa.array([[1, 2], [3, 4], [5, 6], [7, 8]], kind)})
    assert source.names()["x"].shape == (2,)
    assert source.read(["x"])["x"].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]


@pytest.mark.parametrize("inner", [pa.list_(pa.int8()), pa.list_(pa.int8(), 3)])
@pytest.mark.parametrize("outer", [pa.list_, lambda kind: pa.list_(kind, 2)])
def test_lists_in_lists_are_axes(tmp_path, inner, outer):
    rows = np.arange(24).reshape(4, 2, 3)
    source = save(tmp_path, {"x": pa.array(rows.tolist(), outer(inner))})
    assert source.names()["x"].shape == (2, 3)
    assert source.read(["x"])["x"].tolist() == rows.tolist()


def test_a_declared_shape_wins_over_nested_lists(tmp_path):
    rows = np.arange(48, dtype=np.float32).reshape(4, 2, 6)
    kind = pa.list_(pa.list_(pa.float32(), 6), 2)
    fields = [pa.field("x", kind, metadata={"shape": "[2, 2, 3]"})]
    source = save(tmp_path, [pa.array(rows.tolist(), kind)], fields)
    np.testing.assert_array_equal(source.read(["x"])["x"], rows.reshape(4, 2, 2, 3))


def test_a_declared_shape_that_does_not_fit_makes_the_column_unreadable(tmp_path):
    kind = pa.list_(pa.float32(), 6)
    fields = [pa.field("x", kind, metadata={"shape": "[2, 2]"})]
    source = save(tmp_path, [pa.array([[0.0] * 6], kind)], fields)
    assert source.unreadable == {"x": "its metadata tell the shape [2, 2], but a list has 6 values"}


def test_lists_of_unlike_lengths_are_counted(tmp_path):
    source = save(
        tmp_path, {"x": pa.array([[1.0, 2.0], [3.0], [4.0, 5.0], [], None]), "y": pa.array([1, 2, 3, 4, 5])}
    )
    with pytest.raises(DataError, match=r"a.parquet: column 'x': 3 of 5 events have .* length than \[2\]"):
        source.read(["x", "y"])


def test_missing_whole_numbers_are_counted_in_every_column(tmp_path):
    source = save(tmp_path, {"n": pa.array([1, None, 3, None]), "b": pa.array([True, None, True, False])})
    with pytest.raises(DataError) as error:
        source.read(["n", "b"])
    assert "column 'n': 2 of 4 events" in str(error.value)
    assert "column 'b': 1 of 4 events" in str(error.value)


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()])
def test_missing_floats_read_as_nan(tmp_path, kind):
    source = save(tmp_path, {"x": pa.array([np.float16(1.0), None], kind)})
    np.testing.assert_array_equal(source.read(["x"])["x"], [1.0, np.nan])


def test_other_types_are_named(tmp_path):
    source = save(tmp_path, {"process": pa.array(["ggH", "Z"]), "x": pa.array([1.0, 2.0])})
    assert list(source.names()) == ["x"]
    assert source.unreadable == {"process": "its type is string"}


def test_more_rows_than_are_decoded_at_once(tmp_path):
    rows = np.arange(20_000)
    pq.write_table(pa.table({"x": rows}), tmp_path / "a.parquet", row_group_size=7_000)
    np.testing.assert_array_equal(ParquetSource(tmp_path / "a.parquet").read(["x"])["x"], rows)


def test_an_empty_file_has_columns_and_no_event(tmp_path):
    source = save(tmp_path, {"x": pa.array([], pa.float32()), "l": pa.array([], pa.list_(pa.float32(), 2))})
    assert source.read(["x", "l"])["l"].shape == (0, 2)


def test_a_column_name_with_a_dot(tmp_path):
    source = save(tmp_path, {"jet.pt": pa.array([1.0, 2.0])})
    assert source.read(["jet.pt"])["jet.pt"].tolist() == [1.0, 2.0]


def test_what_is_no_parquet_file(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"not a table")
    with pytest.raises(DataError, match=r"a\.parquet: cannot be read as a Parquet file"):
        ParquetSource(tmp_path / "a.parquet")


def test_damaged_pages_are_named_when_they_are_read(tmp_path):
    save(tmp_path, {"x": pa.array(np.random.default_rng(1).random(10_000))})
    path = tmp_path / "a.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000] + b"\xff" * 3000 + whole[4000:])
    with pytest.raises(DataError, match=r"a\.parquet: cannot be read as a Parquet file: .*") as error:
        ParquetSource(path).read(["x"])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", ["[2, oops", "6", "[2, 2.5]", '"six"'])
def test_a_declared_shape_that_is_none_makes_the_column_unreadable(tmp_path, shape):
    kind = pa.list_(pa.float32(), 6)
    fields = [pa.field("x", kind, metadata={"shape": shape})]
    source = save(tmp_path, [pa.array([[0.0] * 6], kind)], fields)
    assert source.unreadable == {"x": f"its metadata tell the shape {shape}, but a list has 6 values"}


def test_two_columns_of_one_name_cannot_be_read(tmp_path):
    pq.write_table(
        pa.table([pa.array([1]), pa.array([2]), pa.array([3])], ["x", "x", "y"]), tmp_path / "a.parquet"
    )
    source = ParquetSource(tmp_path / "a.parquet")
    assert source.unreadable == {"x": "there are two columns of this name"}
    assert source.read(["y"])["y"].tolist() == [3]
