"""Processes on the command line: ROOT files, one YAML, and what check and plan print."""

import json

import numpy as np
import pytest
import uproot
import yaml
from typer.testing import CliRunner

from tsunagu.cli import app
from tsunagu.errors import DataError, SpecError

RNG = np.random.default_rng(11)
STUDY = {
    "data": {
        "processes": {
            "higgs": {"files": "higgs_*.root", "label": 1, "cross_section": "0.5 pb", "generated": "sum(w)"},
            "z": {"files": "z.root:tree", "label": 0, "norm": 2000.0, "generated": "entries"},
        },
        "luminosity": "2 /fb",
        "units": {"jet_*": "MeV"},
        "n_objects": {"jet": 2},
        "select": "jet_pt[0] > 20 and met > 5",
        "columns": {"ht": "sum(jet_pt) + met", "x": ["ht", "met"]},
        "weight": "w",
        "negative_weights": "absolute_preserving",
        "event_number": "evt + 100000 * process_number",
    },
    "tasks": {
        "classify": {
            "inputs": ["x"],
            "output": "score",
            "model": {"key": "MLP", "args": {"hidden": [4], "inputs": 2, "momenta": False}},
            "loss": {"key": "binary", "target": "label"},
        }
    },
    "train": {"epochs": 1},
    "metric": "auc(score, label)",
}


def _write(path, events, scale):
    with uproot.recreate(path) as file:
        file.mktree("tree", {"evt": "int64", "w": "float32", "met": "float32", "jet_pt": "var * float32"})
        counts = RNG.integers(0, 5, len(events))
        file["tree"].extend(
            {
                "evt": events,
                "w": np.where(RNG.random(len(events)) < 0.2, -1.0, 1.0).astype(np.float32),
                "met": RNG.exponential(scale, len(events)).astype(np.float32),
                "jet_pt": _jagged(RNG.exponential(1000 * scale, counts.sum()).astype(np.float32), counts),
            }
        )


def _jagged(flat, counts):
    import awkward as ak

    return ak.unflatten(flat, counts)


@pytest.fixture
def folder(tmp_path):
    _write(tmp_path / "higgs_1.root", np.arange(400), 60.0)
    _write(tmp_path / "higgs_2.root", np.arange(400, 800), 60.0)
    _write(tmp_path / "z.root", np.arange(800), 40.0)
    return tmp_path


@pytest.fixture
def run(folder):
    def run_(*words, **changes):
        path = folder / "study.yaml"
        data = STUDY["data"] | changes
        path.write_text(
            yaml.safe_dump(STUDY | {"data": {k: v for k, v in data.items() if v is not None}}), "utf-8"
        )
        return CliRunner().invoke(app, [words[0], str(path), *words[1:]], catch_exceptions=False)

    return run_


def test_headers(run):
    done = run("check", "--headers")
    assert done.exit_code == 0
    assert "6 columns are needed" in done.stdout
    assert [line.split() for line in done.stdout.splitlines() if "higgs" in line] == [
        ["│", "higgs", "│", "2", "│", "800", "│"]
    ]


@pytest.mark.parametrize("command", ["check", "plan"])
def test_the_table_of_processes(run, command):
    done = run(command)
    assert done.exit_code == 0
    words = done.stdout.replace("\n", "")
    assert all(
        word in words for word in ("higgs", "sum |w|", "effective", "negative_weights: absolute_preserving")
    )
    assert "higgs_1.root: select keeps" in words


def test_a_run_from_root_files(run, folder):
    assert run("run", "--out", str(folder / "out")).exit_code == 0
    summary = json.loads((folder / "out" / "summary.json").read_text("utf-8"))
    assert len(summary["table"]["files"]) == 3
    assert any("absolute_preserving" in note for note in summary["table"]["notes"])


@pytest.mark.parametrize(
    ("changes", "kind", "found"),
    [
        ({"n_objects": {}}, DataError, "its length differs between events"),
        ({"columns": {"x": ["ht", "mett"]}}, SpecError, r"data\.columns\.x\.1: there is no column 'mett'"),
        ({"columns": {"ht": "sum(met)", "x": ["ht", "met"]}}, DataError, "over the objects of an event"),
        ({"select": "met > > 5"}, SpecError, r"data\.select: at position 7"),
        ({"select": "mett > 5"}, SpecError, r"data\.select: there is no column 'mett' \(did you mean 'met'"),
        ({"select": "met"}, DataError, "is no condition"),
        ({"units": {"jet_ptt": "MeV"}}, SpecError, r"data\.units: no column 'jet_ptt'"),
        ({"units": {"met": "mev"}}, SpecError, r"data\.units\.met: unknown unit 'mev' \(did you mean 'MeV'"),
        ({"event_number": "met"}, DataError, "an event number must be one whole number"),
        ({"luminosity": None}, SpecError, r"processes\.higgs\.cross_section: needs a luminosity"),
        ({"luminosity": "2 fb"}, SpecError, r"expected a luminosity with its unit such as '140 /fb'"),
        ({"processes": {"a": {"files": "x.root"}}, "negative_weights": None}, SpecError, "no file matches"),
        ({"processes": {"a": {"fils": "z.root"}}}, SpecError, r"processes\.a\.fils: .*did you mean 'files'"),
        ({"processes": None}, SpecError, r"data\.files: is missing"),
        ({"tree": "tre"}, SpecError, r"there is no tree 'tre' \(did you mean 'tree'"),
    ],
)  # fmt: skip
def test_mistakes_are_found_in_the_headers(run, changes, kind, found):
    with pytest.raises(kind, match=found):
        run("check", "--headers", **changes)
