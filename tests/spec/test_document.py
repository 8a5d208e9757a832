from __future__ import annotations

import pytest

from tsunagu.errors import Mistake, SpecError
from tsunagu.spec import Choice, dump_yaml, load_study, node, schema, validate_study

GOOD = """\
# yaml-language-server: $schema=study.schema.json
data:
  files: events.parquet
tasks:
  calibrate:
    inputs: [jet_p4]
    output: tau_p4
    model: { key: ScaleFactor }
    loss: { key: four_momentum, target: true_tau_p4, weight: 0.5 }
train:
  epochs: 5
  optimizer: { key: Adam, args: { lr: 1e-3 } }
metric: mse(tau_p4, true_tau_p4)
"""


def _load(tmp_path, text, overrides=(), name="study.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_study(path, list(overrides))


def _mistakes(tmp_path, text, overrides=()):
    with pytest.raises(SpecError) as caught:
        _load(tmp_path, text, overrides)
    return [str(mistake).replace(f"{tmp_path}/", "") for mistake in caught.value.mistakes]


def test_a_good_file_is_a_study(tmp_path):
    study = _load(tmp_path, GOOD).study
    assert study.train.optimizer == node("Adam", lr=1e-3)
    assert study.tasks["calibrate"].losses[0].weight == 0.5


def test_writing_and_reading_gives_the_same_study(tmp_path):
    study = _load(tmp_path, GOOD).study
    assert _load(tmp_path, dump_yaml(study), name="again.yaml").study == study


def test_several_mistakes_come_at_once_each_with_its_place(tmp_path):
    text = (
        GOOD.replace("epochs: 5", "epocs: 5")
        .replace("weight: 0.5", "weight: heavy")
        .replace("key: ScaleFactor", "kez: 1, key: S")
    )
    text += "seeds: 0\nmetrc: x\n"
    found = _mistakes(tmp_path, text)
    assert found == [
        "study.yaml:8:14: tasks.calibrate.model.kez: a node has key and args, found 'kez' (did you mean 'key'?)",
        "study.yaml:9:62: tasks.calibrate.loss.weight: expected a number, found 'heavy'",
        "study.yaml:11:3: train.epocs: there is no such setting (did you mean 'epochs'?)",
        "study.yaml:14:8: seeds: must be at least 1, found 0",
        "study.yaml:15:1: metrc: there is no such setting (did you mean 'metric'?)",
    ]


def test_a_key_that_stands_twice_is_a_mistake(tmp_path):
    (found,) = _mistakes(tmp_path, GOOD + "metric: auc(a, b)\n")
    assert found == "study.yaml:14:1: metric: stands twice, first at study.yaml:13:1" or found.startswith(
        "study.yaml:14:1: metric: stands twice, first at "
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("1.5e+2", 150.0),
        ("-2e3", -2000.0),
        (".5", 0.5),
        ("7", 7),
        ("1_000", 1000),
    ],
)
def test_numbers_are_numbers(tmp_path, written, read):
    study = _load(tmp_path, GOOD.replace("lr: 1e-3", f"lr: {written}")).study
    found = study.train.optimizer.args["lr"]
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize("word", ['"1e-3"', "on", "no", "yes", "2026-11-24", "1e", "e5", "0o17", "12:30:00"])
def test_words_stay_words(tmp_path, word):
    study = _load(tmp_path, GOOD.replace("lr: 1e-3", f"lr: {word}")).study
    assert study.train.optimizer.args["lr"] == word.strip('"')


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "study.yaml: is empty"),
        ("a: [1, 2", "study.yaml:1:9: not YAML"),
        ("- 1\n- 2\n", "study.yaml:1:1: expected a mapping"),
        ("data: !!python/object/apply:os.system ['true']\n", "study.yaml:1:7: data: "),
    ],
)
def test_what_is_no_study_is_one_clear_mistake(tmp_path, text, start):
    assert any(mistake.startswith(start) for mistake in _mistakes(tmp_path, text))


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"nowhere.yaml: cannot be read \(No such file or directory\)"):
        load_study(tmp_path / "nowhere.yaml")


def test_overrides_are_checked_like_the_file(tmp_path):
    study = _load(
        tmp_path, GOOD, ["train.epochs=7", "tasks.calibrate.model={key: TauMLP}", "seeds=[3, 4]"]
    ).study
    assert study.train.epochs == 7
    assert study.tasks["calibrate"].model == node("TauMLP")
    assert study.seeds == [3, 4]
    assert _mistakes(tmp_path, GOOD, ["train.epochs=five", "train.epoch=3"]) == [
        "--set: train.epochs: expected a whole number, found 'five'",
        "--set: train.epoch: there is no such setting (did you mean 'epochs'?)",
    ]


@pytest.mark.parametrize("text", ["train.epochs", "=3", "train.epochs=[1"])
def test_an_override_that_says_nothing_is_a_mistake(tmp_path, text):
    assert _mistakes(tmp_path, GOOD, [text])[0].startswith("--set: ")


def test_a_choice_may_stand_in_place_of_a_number(tmp_path):
    study = _load(tmp_path, GOOD.replace("epochs: 5", "epochs: {choice: [5, 10], name: length}")).study
    assert study.train.epochs == Choice({"5": 5, "10": 10}, "length")


def test_a_section_of_another_file_is_read_in_its_place(tmp_path):
    (tmp_path / "nets.yaml").write_text(
        "small:\n- {key: Flatten}\n- {key: Linear, args: [8, 6]}\n", encoding="utf-8"
    )
    text = GOOD.replace("{ key: ScaleFactor }", "{ ref: nets.yaml#small }")
    assert _load(tmp_path, text).study.tasks["calibrate"].model == [node("Flatten"), node("Linear", 8, 6)]
    wrong = GOOD.replace("{ key: ScaleFactor }", "{ ref: nets.yaml#smal }")
    assert "nets.yaml has no section 'smal' (did you mean 'small'?)" in _mistakes(tmp_path, wrong)[0]


def test_a_mistake_in_another_file_is_located_there(tmp_path):
    (tmp_path / "nets.yaml").write_text("small:\n- {key: Flatten, arg: 3}\n", encoding="utf-8")
    text = GOOD.replace("{ key: ScaleFactor }", "{ ref: nets.yaml#small }")
    assert _mistakes(tmp_path, text)[0].startswith("nets.yaml:2:18: tasks.calibrate.model.0.arg")


def test_a_reference_to_itself_is_a_mistake(tmp_path):
    text = GOOD.replace("{ key: ScaleFactor }", "{ ref: study.yaml#tasks.calibrate.model }")
    assert "refers back to itself" in _mistakes(tmp_path, text)[0]


def test_anchors_and_merges_work(tmp_path):
    text = GOOD.replace("train:\n", "train: &t\n").replace("epochs: 5", "epochs: 5\n  <<: {batch_size: 64}")
    study = _load(tmp_path, text).study
    assert (study.train.epochs, study.train.batch_size) == (5, 64)


def test_the_environment_is_read_in_file_names_only(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTS", "/data")
    study = _load(
        tmp_path,
        GOOD.replace("events.parquet", "${EVENTS}/e.parquet").replace("output: tau_p4", "output: ${EVENTS}"),
    ).study
    assert study.data.files == "/data/e.parquet"
    assert study.tasks["calibrate"].output == "${EVENTS}"
    missing = _mistakes(tmp_path, GOOD.replace("events.parquet", "${NOT_THERE}/e.parquet"))
    assert missing == ["study.yaml:3:10: data.files: the environment has no variable NOT_THERE"]


def test_later_mistakes_find_their_place(tmp_path):
    document = _load(tmp_path, GOOD, ["train.epochs=7"])
    paths = [
        ("tasks", "calibrate", "model", "key"),
        ("metric",),
        ("train", "epochs"),
        ("tasks", "calibrate", "inputs", 0),
    ]
    places = [
        m.where.replace(f"{tmp_path}/", "") for m in document.annotate(Mistake(path, "x") for path in paths)
    ]
    assert places == ["study.yaml:8:19", "study.yaml:13:9", "--set", "study.yaml:6:14"]


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ({"k": 2}, "must be at least 3"),
        ({"test": 5}, "numbered 0 to k - 1"),
        ({"test": 1}, "different folds"),
        ({"k": 5.5}, "expected a whole number"),
    ],
)
def test_folds_that_cannot_be_are_mistakes(folds, message):
    task = {"inputs": ["x"], "output": "y", "model": {"key": "ReLU"}, "loss": {"key": "mse", "target": "t"}}
    data = {"data": {"files": "a", "folds": folds}, "tasks": {"t": task}, "metric": "m"}
    assert message in validate_study(data)[1][0].message


def test_the_schema_names_every_setting():
    text = str(schema())
    for word in ("checkpoint_seconds", "baselines", "pretrain_epochs", "choice", "additionalProperties"):
        assert word in text
