"""Files that are cut short, overwritten, empty or of unlike types: always one of our errors, with the file's name."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsunagu.data import open_table
from tsunagu.errors import DataError, TsunaguError
from tsunagu.spec import Folds, Process

NUMBER = np.arange(600)
EVENTS = {"event_number": NUMBER, "met": np.sqrt(NUMBER + 1.0), "jet": np.ones((600, 2), np.float32)}
NAMED = {"needed": ["met", "jet"], "folds": Folds(k=3)}


every_format = pytest.mark.parametrize("ending", [".root", ".parquet", ".h5", ".csv", ".npz"])


@pytest.fixture(scope="module")
def wholes(tmp_path_factory, writers):
    folder = tmp_path_factory.mktemp("whole")
    return {ending: write(folder / f"a{ending}", EVENTS).read_bytes() for ending, write in writers.items()}


def survives(path, content, memory):
    """A table, or an error of ours that names the file; nothing half written either way."""
    path.write_bytes(content)
    told = path.name
    try:
        open_table(path, memory=memory, **NAMED)
    except TsunaguError as error:
        told = str(error)
    assert path.name in told
    assert not list(path.parent.rglob("*.part"))


quick = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@every_format
@quick
@given(share=st.floats(0.0, 1.0), memory=st.sampled_from([None, 64 * 600]))
def test_files_that_are_cut_short(wholes, tmp_path, ending, share, memory):
    whole = wholes[ending]
    survives(tmp_path / f"a{ending}", whole[: int(share * (len(whole) - 1))], memory)


@every_format
@quick
@given(
    changes=st.lists(
        st.tuples(st.floats(0.0, 1.0), st.binary(min_size=4, max_size=4)), min_size=1, max_size=8
    ),
    memory=st.sampled_from([None, 64 * 600]),
)
def test_files_that_are_overwritten(wholes, tmp_path, ending, changes, memory):
    whole = bytearray(wholes[ending])
    for place, content in changes:
        start = int(place * (len(whole) - 1))
        whole[start : start + 4] = content
    survives(tmp_path / f"a{ending}", bytes(whole), memory)


@every_format
def test_empty_files_and_files_of_another_kind(tmp_path, ending):
    for content in (b"", b"\0" * 300, b"data:\n  files: a.root\n"):
        path = tmp_path / f"a{ending}"
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"a\{ending}: "):
            open_table(path, **NAMED)


@every_format
def test_files_without_an_event(writers, tmp_path, ending):
    path = writers[ending](tmp_path / f"a{ending}", {name: array[:0] for name, array in EVENTS.items()})
    with pytest.raises(DataError, match=rf"a\{ending}"):
        open_table(path, **NAMED)


@every_format
def test_unicode_names(writers, tmp_path, ending):
    arrays = {"event_number": NUMBER, "Δφ µ": np.sqrt(NUMBER + 1.0)}
    path = writers[ending](tmp_path / f"événement{ending}", arrays)
    table = open_table(path, columns={"x": "2 * `Δφ µ`", "y": "Δφ µ"}, needed=["x", "y"], folds=Folds(k=3))
    assert (table.columns["x"] == 2 * table.columns["y"]).all()


@every_format
@pytest.mark.parametrize(
    ("name", "spoil", "found"),
    [
        ("met", lambda a: np.where(NUMBER == 7, np.nan, a), "NaN in 1 of 600 events, the first in row 7"),
        ("met", lambda a: np.where(NUMBER == 7, np.inf, a), "infinite .* in 1 of 600 events"),
        ("event_number", lambda a: a // 2, "300 event numbers occur more than once"),
        ("event_number", lambda a: a + 0.5, "one whole number for each event"),
        ("w", lambda a: np.where(NUMBER % 2, 1.0, -1.0), "the sum over all events is 0"),
    ],
)
def test_values_that_cannot_be_used(writers, tmp_path, ending, name, spoil, found):
    events = EVENTS | {"w": np.ones(600)}
    path = writers[ending](tmp_path / f"a{ending}", events | {name: spoil(events[name])})
    with pytest.raises(DataError, match=rf"a\{ending}.*'{name}'.*{found}"):
        open_table(path, weight="w", **NAMED)


@pytest.mark.parametrize("other", [".root", ".parquet", ".h5"])
def test_a_branch_of_another_type_in_one_file(writers, tmp_path, other):
    first = writers[".npz"](tmp_path / "a.npz", EVENTS)
    second = writers[other](tmp_path / f"b{other}", EVENTS | {"event_number": NUMBER + 600, "met": NUMBER})
    with pytest.raises(
        DataError, match=rf"b\{other}: column 'met' is int64 \[E\], but float64 \[E\] in .*a\.npz"
    ):
        open_table([first, second], **NAMED)


def test_a_directory_with_the_ending_of_a_file(tmp_path):
    (tmp_path / "a.root").mkdir()
    with pytest.raises(DataError, match=r"a\.root' is a folder"):
        open_table(tmp_path / "a.root", **NAMED)


def test_event_numbers_that_processes_share_name_both_files(writers, tmp_path):
    files = [writers[".npz"](tmp_path / f"{name}.npz", EVENTS) for name in "ab"]
    processes = {path.stem: Process(files=str(path)) for path in files}
    with pytest.raises(DataError, match=r"a\.npz, .*b\.npz: column 'event_number': 600 event numbers occur"):
        open_table(processes=processes, **NAMED)
