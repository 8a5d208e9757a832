"""Processes: many files, labels, cross-sections, units and codes for missing values."""

import awkward as ak
import numpy as np
import pytest
import uproot

from tsunagu.data import describe_processes, open_table
from tsunagu.errors import DataError
from tsunagu.spec import Process


@pytest.fixture
def files(tmp_path, write):
    """Two files of a signal, one of a background, all with their generator weights."""

    def part(start, stop, weight):
        number = np.arange(start, stop)
        return {"evt": number, "w": np.full(len(number), weight), "pt": 1000.0 * (number % 50)}

    write("higgs_1", part(0, 100, 0.5))
    write("higgs_2", part(100, 150, 0.5))
    return write("z", part(1000, 1300, np.where(np.arange(300) % 4, 2.0, -1.0)))


@pytest.fixture
def opened(files, folds):
    def open_(higgs, z, **named):
        higgs = Process(files=str(files.with_name(f"higgs_*{files.suffix}")), **higgs)
        named = {"weight": "w", "event_number": "evt"} | named
        return open_table(
            processes={"higgs": higgs, "z": Process(files=str(files), **z)}, folds=folds, **named
        )

    return open_


SCALED = {"cross_section": "2 pb", "generated": "sum(w)"}


@pytest.mark.parametrize("memory", [None, 64 * 450])
def test_weights_are_those_of_the_luminosity(opened, memory):
    table = opened(
        SCALED | {"label": 1},
        {"norm": 500.0, "generated": "entries", "label": 0},
        luminosity="3 /fb",
        memory=memory,
    )
    higgs, z = describe_processes(table)
    assert (higgs.name, higgs.files, higgs.events, z.files, z.events) == ("higgs", 2, 150, 1, 300)
    assert higgs.sum_weight == pytest.approx(2.0 * 3000.0)
    assert z.sum_weight == pytest.approx(500.0 * (225 * 2.0 - 75) / 300)
    assert z.negative_share == pytest.approx(0.25)
    assert table.columns["label"].tolist() == [1] * 150 + [0] * 300
    assert table.columns["process_number"].tolist() == [0] * 150 + [1] * 300
    assert table.processes == ("higgs", "higgs", "z")


def test_the_sum_is_of_all_generated_events_not_of_the_selected_ones(opened):
    table = opened(SCALED, {}, luminosity="3 /fb", select="evt < 75 or evt >= 1000", needed=["pt"])
    higgs, z = describe_processes(table)
    assert higgs.sum_weight == pytest.approx(3000.0)
    assert z.sum_weight == pytest.approx(375.0)


def test_without_a_weight_every_event_has_that_of_its_process(opened):
    table = opened({"norm": 30.0, "generated": 300.0}, {}, weight=None)
    assert table.weight.unique().tolist() == pytest.approx([0.1, 1.0])


def test_the_sum_may_be_in_another_tree(tmp_path, folds):
    for name, total in (("a", 30.0), ("b", 70.0)):
        with uproot.recreate(tmp_path / f"{name}.root") as file:
            file.mktree("Events", {"evt": "int64"})
            file["Events"].extend({"evt": np.arange(50) + 100 * ord(name)})
            file.mktree("Runs", {"genEventSumw": "float64"})
            file["Runs"].extend({"genEventSumw": np.array([total / 2] * 2)})
    process = Process(
        files=str(tmp_path / "*.root"), tree="Events", cross_section="1 fb", luminosity="10 /fb",
        generated="sum(Runs:genEventSumw)",
    )  # fmt: skip
    table = open_table(processes={"p": process}, event_number="evt", folds=folds)
    assert table.weight.unique().tolist() == pytest.approx([0.1])


@pytest.mark.parametrize(
    ("generated", "found"),
    [
        ("sum(ww)", r"process higgs: generated: no column 'ww' of one number \(did you mean 'w'\?\)"),
        ("sum(Runs:x)", "only ROOT files have a tree 'Runs' beside the events"),
        ("sum(label)", r"the weights of all generated events sum to 0; the sum must be positive"),
    ],
)
def test_sums_that_cannot_be_taken(opened, generated, found):
    with pytest.raises(DataError, match=found):
        opened(SCALED | {"generated": generated, "label": 0}, {"label": 1}, luminosity="3 /fb")


def test_mistakes_of_all_processes_at_once(files, folds):
    processes = {name: Process(files=f"{name}.npz") for name in ("a", "b")}
    with pytest.raises(DataError) as error:
        open_table(processes=processes, folds=folds)
    assert [line[:10] for line in str(error.value).splitlines()] == ["process a:", "process b:"]


def test_a_file_belongs_to_one_process(files, folds):
    processes = {name: Process(files=str(files)) for name in ("a", "b")}
    with pytest.raises(DataError, match="the file is of process a and of process b"):
        open_table(processes=processes, folds=folds)


def test_event_numbers_that_two_processes_share(write, folds):
    for name in ("a", "b"):
        write(name, {"evt": np.arange(50)})
    path = write("c", {"evt": np.arange(50)})
    processes = {n: Process(files=str(path.with_stem(n))) for n in ("a", "b")}
    with pytest.raises(DataError, match=r"occur more than once.*evt \+ .* \* process_number"):
        open_table(processes=processes, event_number="evt", folds=folds)
    table = open_table(processes=processes, event_number="evt + 1000 * process_number", folds=folds)
    assert len(table) == 100


class TestTreatment:
    def test_units(self, opened):
        table = opened({}, {}, units={"pt": "MeV"}, needed=["pt"])
        np.testing.assert_allclose(table.columns["pt"].numpy(), table.event_number.numpy() % 50, rtol=1e-6)

    def test_a_column_goes_before_a_pattern(self, opened):
        table = opened({}, {}, units={"p*": "MeV", "pt": "TeV"}, needed=["pt"])
        np.testing.assert_allclose(
            table.columns["pt"].numpy(), 1e6 * (table.event_number.numpy() % 50), rtol=1e-6
        )

    @pytest.mark.parametrize("memory", [None, 64 * 450])
    def test_codes_become_nan_and_then_what_is_declared(self, opened, memory):
        named = {
            "missing_codes": {"pt": [7000.0, 0.0]},
            "units": {"pt": "MeV"},
            "needed": ["pt"],
            "memory": memory,
        }
        with pytest.raises(DataError, match=r"column 'pt': NaN in 4 of 100"):
            opened({}, {}, **named)
        table = opened({}, {}, missing={"pt": -1.0}, **named)
        assert (table.columns["pt"] == -1.0).sum() == 18
        assert sum("replaced by -1" in note for note in table.notes) == 3

    def test_codes_of_whole_numbers(self, write, folds):
        path = write("a", {"evt": np.arange(60), "n": np.tile([1, -999, 3], 20)})
        table = open_table(
            path,
            event_number="evt",
            missing_codes={"n": [-999]},
            missing={"n": 0.0},
            folds=folds,
            needed=["n"],
        )
        assert table.columns["n"][:3].tolist() == [1.0, 0.0, 3.0]

    @pytest.mark.parametrize("part", ["units", "missing_codes"])
    def test_names_that_fit_no_column(self, opened, part):
        value = {"units": "MeV", "missing_codes": [0.0]}[part]
        with pytest.raises(DataError, match=rf"data\.{part}: no column 'ptt' \(did you mean 'pt'\?\)"):
            opened({}, {}, **{part: {"ptt": value}})

    def test_a_label_that_the_file_has(self, write, folds):
        path = write("a", {"evt": np.arange(60), "label": np.zeros(60, dtype=int)})
        with pytest.raises(DataError, match=r"a column 'label' in the file already"):
            open_table(processes={"a": Process(files=str(path), label=1)}, folds=folds)


def test_objects_and_units_together(tmp_path, folds):
    with uproot.recreate(tmp_path / "a.root") as file:
        pt = ak.Array([[30e3, 20e3], [], [50e3]] * 20)
        file.mktree("t", {"jet_pt": "var * float64", "evt": "int64"})
        file["t"].extend({"jet_pt": pt, "evt": np.arange(60)})
    table = open_table(
        tmp_path / "a.root", n_objects={"jet": 2}, units={"jet_pt": "MeV"}, event_number="evt", folds=folds,
        select="jet_count > 0", columns={"ht": "sum(jet_pt)"},
    )  # fmt: skip
    assert table.columns["ht"][:2].tolist() == [50.0, 50.0]
    assert len(table) == 40
