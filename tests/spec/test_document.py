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


@pytest.mark.parametrize("word", ['"1e-3"', '"no"', "y", "2026-11-24", "1e", "e5", "0o17", "12:30:00"])
def test_words_stay_words(tmp_path, word):
    study = _load(tmp_path, GOOD.replace("lr: 1e-3", f"lr: {word}")).study
    assert study.train.optimizer.args["lr"] == word.strip('"')


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "study.yaml: is empty"),
        ("a: [1, 2", "study.yaml:1:9: not YAML: expected ']' for the '[' of line 1, column 4, found the end"),
        ("a:\n\tb: 1\n", "study.yaml:2:1: not YAML: a tab; lines are indented with spaces"),
        ("a:\n  b: 1\n   c: 2\n", "study.yaml:3:5: not YAML: a ':' cannot stand here"),
        (
            "a:\n  b: 1\n c: 2\n",
            "study.yaml:3:2: not YAML: this line begins in column 2, the block from line 1",
        ),
        ("a: 1\nb 2\nc: 3\n", "study.yaml:2:1: not YAML: no ': ' after this word"),
        ('a: "x\nb: 2\n', "study.yaml:1:4: not YAML: this quote is never closed"),
        ("a: 1\n---\nb: 2\n", "study.yaml:2:1: not YAML: a second document begins here"),
        ("a: *b\n", "study.yaml:1:4: not YAML: found undefined alias"),
        ("a: \x07\n", "study.yaml: not YAML: the character U+0007 may not stand in it"),
        ("~\n", "study.yaml:1:1: expected a mapping, found nothing"),
        ("a: [f(x, y)]\n", "study.yaml:1:5: a: the comma ends the text 'f(x'; put all of it in quotes"),
        ("- 1\n- 2\n", "study.yaml:1:1: expected a mapping"),
        ("data: !!python/object/apply:os.system ['true']\n", "study.yaml:1:7: data: "),
    ],
)
def test_what_is_no_study_is_one_clear_mistake(tmp_path, text, start):
    assert any(mistake.startswith(start) for mistake in _mistakes(tmp_path, text))


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"nowhere.yaml: cannot be read \(No such file or directory\)"):
        load_study(tmp_path / "nowhere.yaml")


def test_a_file_that_is_nearly_there_is_offered(tmp_path):
    (tmp_path / "study.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(SpecError, match=r"studdy.yaml: cannot be read .* \(did you mean 'study.yaml'\?\)"):
        load_study(tmp_path / "studdy.yaml")


def test_the_first_byte_that_is_not_utf8_has_its_place(tmp_path):
    (tmp_path / "study.yaml").write_bytes(GOOD.encode() + "# über\n".encode("latin-1"))
    with pytest.raises(SpecError, match=r"study.yaml:14:3: cannot be read: not UTF-8 text \(byte 0xfc\)"):
        load_study(tmp_path / "study.yaml")


def test_what_only_other_packages_can_see_is_reported_with_the_rest(tmp_path):
    asked = []

    def further(study, whole):
        asked.append(study)
        return [
            Mistake(("tasks", "calibrate", "model", "key"), "unknown layer"),
            Mistake(("train", "epochs"), "follows from what was found"),
        ]

    path = tmp_path / "study.yaml"
    path.write_text(
        GOOD.replace("epochs: 5", "epochs: five").replace("seeds", "seeds") + "sedes: 3\n", "utf-8"
    )
    with pytest.raises(SpecError) as caught:
        load_study(path, ["data.folds.k=2"], further)
    assert [str(mistake).replace(f"{path}", "f") for mistake in caught.value.mistakes] == [
        "f:8:19: tasks.calibrate.model.key: unknown layer",
        "f:11:11: train.epochs: expected a whole number, found 'five'",
        "f:14:1: sedes: there is no such setting (did you mean 'seeds'?)",
        "--set: data.folds.k: must be at least 3, found 2",
    ]
    assert asked[0].train.epochs == 20


def test_a_good_study_is_left_to_the_caller(tmp_path):
    (tmp_path / "study.yaml").write_text(GOOD, encoding="utf-8")
    load_study(tmp_path / "study.yaml", (), lambda study: pytest.fail("asked"))


@pytest.mark.parametrize(
    ("word", "meant"), [("on", "true"), ("Yes", "true"), ("no", "false"), ("OFF", "false")]
)
def test_words_that_may_be_truth_values_are_refused(tmp_path, word, meant):
    (found,) = _mistakes(tmp_path, GOOD.replace("lr: 1e-3", f"lr: 1e-3, amsgrad: {word}"))
    assert found.startswith("study.yaml:12:54: train.optimizer.args.amsgrad: ")
    assert found.endswith(f"write {meant}, or put it in quotes")


def test_a_whole_number_in_the_form_of_another(tmp_path):
    (found,) = _mistakes(tmp_path, GOOD.replace("epochs: 5", "epochs: 1e3"))
    assert found.endswith("expected a whole number, found 1000.0; write 1000")


def test_text_that_would_be_a_number_without_its_quotes(tmp_path):
    (found,) = _mistakes(tmp_path, GOOD.replace("epochs: 5", 'epochs: "5"'))
    assert found.endswith("expected a whole number, found '5': a text; write it without quotes")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "tasks.calibrat.output=x",
            "tasks.calibrat: there is no 'calibrat' in it (did you mean 'calibrate'?)",
        ),
        ("tasks.calibrate.inputs.3=x", "tasks.calibrate.inputs.3: there is no '3' in it (valid: 0 to 0)"),
        ("metric.name=x", "metric.name: there is no 'name' in it"),
        ("train.optimizer.lr=1", "train.optimizer.lr: a node has key and args, found 'lr'"),
        ("metrics=[auc(a, b)]", "metrics: the comma ends the text 'auc(a'; put all of it in quotes"),
    ],
)
def test_an_override_that_leads_nowhere_is_a_mistake(tmp_path, override, message):
    (found,) = _mistakes(tmp_path, GOOD, [override])
    assert found.startswith(f"--set: {message}")


@pytest.mark.parametrize("written", ["", "  optimizer: Adam\n"])
def test_an_override_may_go_into_what_the_file_leaves_out(tmp_path, written):
    text = GOOD.replace("  optimizer: { key: Adam, args: { lr: 1e-3 } }\n", written)
    study = _load(tmp_path, text, ["train.optimizer.args.lr=0.5", "data.folds.k=7", "data.missing.x=0"]).study
    assert study.train.optimizer == node("Adam", lr=0.5)
    assert (study.data.folds.k, study.data.missing) == (7, {"x": 0.0})


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
    bare = _mistakes(tmp_path, GOOD.replace("events.parquet", "$EVENTS/e.parquet"))
    assert bare == ["study.yaml:3:10: data.files: a variable is written ${EVENTS}, found '$EVENTS/e.parquet'"]
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
    assert places == ["study.yaml:6:14", "study.yaml:8:19", "study.yaml:13:9", "--set"]


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


def test_what_stands_under_a_misspelt_name_is_checked_too(tmp_path):
    path = tmp_path / "study.yaml"
    text = GOOD.replace("    model:", "    modle:", 1).replace("metric:", "metrics: []\nmetrc:", 1)
    path.write_text(text, encoding="utf-8")
    seen = []

    def further(study, whole):
        seen.append((study.tasks["calibrate"].model, study.metric, whole))
        return [Mistake(("tasks", "calibrate", "model", "key"), "unknown layer")]

    with pytest.raises(SpecError) as caught:
        load_study(path, further=further)
    assert [(mistake.path, mistake.message.partition(" (")[0]) for mistake in caught.value.mistakes] == [
        (("tasks", "calibrate", "modle"), "there is no such setting"),
        (("tasks", "calibrate", "modle", "key"), "unknown layer"),
        (("metrc",), "there is no such setting"),
    ]
    assert len(seen) == 1
    assert seen[0][2]
