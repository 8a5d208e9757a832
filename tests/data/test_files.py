"""From words to files."""

import numpy as np
import pytest

from tsunagu.data import ArraySource, NpzSource, find_files
from tsunagu.data.files import open_sources
from tsunagu.errors import DataError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.npz", "a.npz", "deep/c.npz"):
        np.savez(tmp_path / name, x=np.ones(1))
    return tmp_path


def test_globs_are_sorted(folder):
    assert [path.name for path in find_files(folder / "*.npz")] == ["a.npz", "b.npz"]
    assert [path.name for path in find_files(str(folder / "**/*.npz"))] == ["a.npz", "b.npz", "c.npz"]


def test_relative_paths(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert [str(path) for path in find_files("?.npz")] == ["a.npz", "b.npz"]
    assert [str(path) for path in find_files("deep/c.npz")] == ["deep/c.npz"]


def test_a_file_whose_name_looks_like_a_glob(folder):
    np.savez(folder / "x[1].npz", x=np.ones(1))
    assert find_files(folder / "x[1].npz") == [folder / "x[1].npz"]


def test_folders_are_no_files(folder):
    with pytest.raises(DataError, match="no file matches"):
        find_files(folder / "dee*")


def test_a_folder_says_what_would_be_its_files(folder):
    with pytest.raises(DataError, match=r"deep' is a folder; write '.*deep/\*\.npz'"):
        find_files(folder / "deep")
    (folder / "none").mkdir()
    with pytest.raises(DataError, match=r"none' is a folder without event files"):
        find_files(folder / "none")


def test_every_file_is_opened_once_in_the_order_written(folder):
    sources = open_sources([folder / "b.npz", str(folder / "*.npz")])
    assert [source.name for source in sources] == [str(folder / "b.npz"), str(folder / "a.npz")]
    assert all(isinstance(source, NpzSource) for source in sources)


def test_sources_may_stand_among_files(folder):
    memory = ArraySource({}, "memory")
    assert open_sources([folder / "a.npz", memory])[1] is memory


def test_all_mistakes_at_once(folder):
    (folder / "d.xlsx").touch()
    with pytest.raises(DataError) as error:
        open_sources([folder / "aa.npz", folder / "d.xlsx", folder / "none/*.npz"])
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    assert f"(did you mean '{folder}/a.npz'?)" in lines[0]
    assert "no reader for the ending '.xlsx' (valid: .csv, .h5, " in lines[1]
    assert f"there is no folder '{folder}/none'" in lines[2]


def test_no_file_is_a_mistake():
    with pytest.raises(DataError, match="no file is named"):
        open_sources([])
