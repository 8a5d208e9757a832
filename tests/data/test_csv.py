"""CSV files."""

import numpy as np
import pytest

from tsunagu.data import CsvSource, open_table
from tsunagu.errors import DataError


@pytest.fixture
def write_csv(tmp_path):
    def write(text, name="a.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.tsv", "\t")])
def test_a_table(write_csv, folds, name, mark):
    rows = [f"{i}{mark}{0.5 * i}{mark}{str(i % 2 == 0).lower()}" for i in range(100)]
    path = write_csv("\n".join([mark.join(["event_number", "pt", "ok"]), *rows]), name)
    table = open_table(path, folds=folds)
    np.testing.assert_array_equal(table.columns["pt"].numpy(), 0.5 * np.arange(100, dtype=np.float32))
    assert [str(table.columns[n].dtype) for n in ("event_number", "ok")] == ["torch.int64", "torch.bool"]


def test_pieces_over_several_blocks(write_csv):
    path = write_csv("x,y\n" + "\n".join(f"{i},{i}.25" for i in range(200_000)))
    pieces = list(CsvSource(path).pieces(["y"], 7000))
    assert max(len(piece["y"]) for piece in pieces) == 7000
    np.testing.assert_array_equal(np.concatenate([piece["y"] for piece in pieces]), np.arange(200_000) + 0.25)


def test_empty_entries(write_csv):
    source = CsvSource(write_csv("n,x\n1,0.5\n,\n3,1.5\n"))
    np.testing.assert_array_equal(source.read(["x"])["x"], [0.5, np.nan, 1.5])
    with pytest.raises(DataError, match="column 'n': 1 entries are empty"):
        source.read(["n"])


def test_words_are_no_numbers(write_csv):
    assert "numbers are read" in CsvSource(write_csv("a,b\n1,x\n")).unreadable["b"]


def test_a_word_far_below(write_csv):
    path = write_csv("x\n" + "1\n" * 700_000 + "abc\n")
    with pytest.raises(DataError, match=r"a\.csv: cannot be read as a CSV file: .*'abc'"):
        CsvSource(path).read(["x"])


def test_the_same_name_twice(write_csv):
    assert CsvSource(write_csv("a,a\n1,2\n")).unreadable == {"a": "there are two columns of this name"}
