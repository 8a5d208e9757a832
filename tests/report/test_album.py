"""Figures of another command on the page of a run."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.errors import ResumeError
from tsunagu.report.album import read_albums, write_album
from tsunagu.report.style import Drawing, canvas


def drawing():
    figure, (axes,) = canvas(size=(2.0, 2.0))
    axes.plot([0, 1])
    return Drawing(figure=figure, numbers={"x": np.arange(2)})


def album(folder, *names):
    return write_album({name: (drawing, f"What {name} is.") for name in names}, folder)


def test_a_later_album_takes_the_place_of_an_earlier_one(tmp_path):
    folder = tmp_path / "analysis"
    album(folder, "old", "both")
    written = album(folder, "both", "new")
    assert {path.name for path in written} == {
        f"{name}.{kind}" for name in ("both", "new") for kind in ("png", "pdf", "csv")
    }
    assert not list(folder.glob("old.*"))
    (found,) = read_albums(tmp_path, tmp_path / "elsewhere")
    assert (found.id, [each.name for each in found.pictures]) == ("analysis", ["both", "new"])
    assert found.pictures[0].beside == "../analysis"
    assert found.pictures[0].caption == "What both is."


def test_a_missing_picture_is_told(tmp_path):
    album(tmp_path / "comparison", "one")
    (tmp_path / "comparison" / "one.webp").unlink()
    with pytest.raises(ResumeError, match=r"one.webp: cannot be read .*; run the analysis again"):
        read_albums(tmp_path, tmp_path)
