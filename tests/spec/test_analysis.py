"""The analysis section and the systematic uncertainties of a study: what is wrong is named where it stands."""

from __future__ import annotations

import pytest

from tsunagu.spec import check_analysis, dump_yaml, load_study, validate_study

COLUMNS = {"jet_pt", "jet_eta", "label", "weight", "weight_up", "event_number"}
STUDY = {
    "data": {"files": "a.npz", "columns": {"p4": ["jet_pt", "jet_eta"], "y": "label"}},
    "tasks": {
        "classify": {
            "inputs": ["p4"],
            "output": "score",
            "model": {"key": "MLP"},
            "loss": {"key": "binary", "target": "y"},
        }
    },
    "metric": "auc(score, y)",
    "analysis": {
        "score": "score",
        "processes": {
            "higgs": {"column": "y", "value": 1, "signal": True, "scale": 0.1},
            "z": {"column": "y", "value": 0},
        },
        "luminosity": 0.02,
    },
    "systematics": {
        "tes": {"key": "scale", "columns": "jet_pt", "up": 1.03, "down": 0.97},
        "pileup": {"key": "weights", "up": "weight_up", "factor": True},
        "generator": {"key": "files", "up": "b.npz", "processes": ["z"]},
        "smear": {"key": "function", "function": "mine:smear", "columns": ["jet_pt"], "reads": ["jet_eta"]},
        "xsec": {"key": "norm", "up": 1.05, "processes": ["z"]},
    },
}


def changed(section, **values):
    """The study with a section changed; a value of None takes its entry out."""
    inside = {**STUDY[section], **values}
    return STUDY | {section: {name: value for name, value in inside.items() if value is not None}}


def told(data, columns=COLUMNS):
    study, mistakes = validate_study(data)
    if study is not None:
        mistakes = check_analysis(study, columns)
    return [str(mistake) for mistake in mistakes]


def test_all_kinds_are_read_and_written(tmp_path):
    assert told(STUDY) == []
    study, _ = validate_study(STUDY)
    file = tmp_path / "study.yaml"
    file.write_text(dump_yaml(study), encoding="utf-8")
    assert load_study(file).study == study
    assert study.systematics["xsec"].factors == (1.05, 0.95)


def test_an_analysis_is_no_part_of_what_is_trained():
    with_it, _ = validate_study(STUDY)
    without, _ = validate_study({name: STUDY[name] for name in ("data", "tasks", "metric")})
    assert with_it.pipeline == without.pipeline
    assert with_it.data == without.data


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("a", {"key": "scal", "columns": "jet_pt"}, "a: unknown key 'scal' (did you mean 'scale'?)"),
        ("a", {"columns": "jet_pt"}, "a: key is missing; it is one of weights, files, scale, function, norm"),
        ("a", "norm", "a: expected a mapping, found 'norm'"),
        ("a", {"key": "norm", "up": 1.0}, "a: a factor of 1 changes nothing"),
        ("a", {"key": "norm", "up": 2.5}, "a: down must be given where up is 2 or more, found 2.5"),
        (
            "a",
            {"key": "scale", "columns": "jet_pt", "up": 1.1, "dwn": 0.9},
            "a.dwn: there is no such setting (did you mean 'down'?)",
        ),
        (
            "a",
            {"key": "function", "function": "f", "columns": "jet_pt"},
            "a.function: expected package.module:name, found 'f'",
        ),
        (
            "a",
            {"key": "norm", "up": 1.1, "processes": ["zz"]},
            "a.processes.0: there is no process 'zz' (did you mean 'z'?)",
        ),
        (
            "a",
            {"key": "weights", "up": "weight_upp"},
            "a.up: there is no column of the files 'weight_upp' (did you mean 'weight_up'?)",
        ),
        (
            "a",
            {"key": "scale", "columns": ["jet_tp"], "up": 1.1},
            "a.columns.0: there is no column of the files 'jet_tp' (did you mean 'jet_pt'?)",
        ),
        (
            "a",
            {"key": "scale", "columns": "weight", "up": 1.1},
            "a.columns: neither an input of a task nor the selection is made of weight, so nothing would change (valid: jet_eta, jet_pt)",
        ),
        (
            "a",
            {"key": "function", "function": "a:b", "columns": "jet_pt", "reads": ["eta"]},
            "a.reads.0: there is no column of the files 'eta' (did you mean 'jet_eta'?)",
        ),
    ],
)
def test_mistakes_of_systematics(name, entry, message):
    assert told(changed("systematics", **{name: entry})) == [f"systematics.{message}"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"score": "scor"}, "analysis.score: there is no output 'scor' (did you mean 'score'?)"),
        (
            {"variables": ["jet_p"]},
            "analysis.variables.0: there is no column 'jet_p' (did you mean 'jet_pt'?)",
        ),
        ({"luminosity": 1.7}, "analysis.luminosity: must be less than 1, found 1.7"),
        ({"binning": {"bins": 9, "fine": 4}}, "analysis.binning: fine must be at least bins, found 4 and 9"),
        ({"processes": {"z": {"column": "y", "value": 0}}}, "signals: 0 of 1 processes"),
        (
            {"processes": {n: {"column": "y", "value": 0, "signal": n == "a"} for n in "ab"}},
            "a and b are the same events, y = 0",
        ),
    ],
)
def test_mistakes_of_the_section(values, message):
    (mistake,) = told({**changed("analysis", **values), "systematics": {}})
    assert message in mistake


def test_systematics_without_an_analysis_are_of_nothing():
    data = {name: part for name, part in STUDY.items() if name != "analysis"}
    (mistake,) = told(data)
    assert mistake.startswith("systematics: there is no analysis")
