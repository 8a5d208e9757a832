"""Files that are changed while they are read."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.data import ArraySource, ShiftedSource, scaled_by
from tsunagu.errors import DataError

EVENTS = {"pt": np.arange(1.0, 6.0), "eta": np.arange(5.0), "n": np.arange(5)}


def shifted(change, columns=("pt",), reads=()):
    return ShiftedSource(ArraySource(EVENTS, "a.npz"), change, columns, reads)


def test_pieces_are_the_whole_and_other_columns_stay():
    source = shifted(scaled_by(["pt"], 2.0))
    whole = source.read(["n", "pt"])
    pieces = list(source.pieces(["n", "pt"], 2))
    assert whole["pt"].tolist() == [2.0, 4.0, 6.0, 8.0, 10.0]
    assert np.concatenate([piece["pt"] for piece in pieces]).tolist() == whole["pt"].tolist()
    assert list(whole) == ["n", "pt"]
    assert source.read(["eta"])["eta"].tolist() == EVENTS["eta"].tolist()


def test_a_function_reads_columns_that_nobody_asked_for():
    source = shifted(lambda given: {"pt": given["pt"] + given["eta"]}, reads=["eta"])
    assert source.read(["pt"])["pt"].tolist() == [1.0, 3.0, 5.0, 7.0, 9.0]


def test_it_is_no_file_whose_mapped_columns_could_be_taken_for_it():
    assert shifted(scaled_by(["pt"], 2.0)).path is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda given: {}, "a.npz: column 'pt': the variation gives nothing"),
        (lambda given: {"pt": given["pt"][:2]}, r"makes \[2\] of \[5\]; the shape must stay"),
    ],
)
def test_mistakes(change, message):
    with pytest.raises(DataError, match=message):
        shifted(change).read(["pt"])
