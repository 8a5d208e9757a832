"""The command line as a user types it, in this process."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tsunagu.cli import app
from tsunagu.cli import main as run_main
from tsunagu.spec import choice, dump_yaml, node

ARCHITECTURES = Path(__file__).parents[2] / "examples" / "architectures"
MISTAKEN = """\
data:
  files: events.npz
  columns: { true_tau_p4: [tau_full_pt, tau_full_eta, tau_full_phi] }
tasks:
  calibrate:
    inputs: [jet_image]
    output: tau_p4
    model: { key: TauCNM }
    loss: { key: four_momentun, target: true_tau_p4 }
train:
  epocs: 3
  optimizer: { key: Adma }
metric: auc(tau_p4, label)
"""


@pytest.fixture
def study_file(study_of, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(dump_yaml(study_of(seeds=1)), encoding="utf-8")
    return path


def _run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def _main(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["tsunagu", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        run_main()
    return stop.value.code, capsys.readouterr()


def test_the_schema_is_json_schema_and_admits_the_example(study_file):
    from jsonschema import Draft202012Validator

    schema = json.loads(_run("schema").stdout)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(yaml.safe_load(study_file.read_text(encoding="utf-8")))


def test_a_module_beside_the_study_is_found_by_the_command_and_its_workers(study_file, monkeypatch):
    (study_file.parent / "mass_beside.py").write_text(
        "from torch import nn\n\nfrom tsunagu.layers import MassMLP\n\n\nclass Mine(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.mass = MassMLP()\n\n"
        "    def forward(self, tau_p4):\n        return self.mass(tau_p4)\n",
        encoding="utf-8",
    )
    monkeypatch.setattr("sys.path", list(sys.path))
    words = (study_file, "--set", "tasks.classify.model={key: 'mass_beside:Mine'}")
    assert _run("check", *words).exit_code == 0
    done = _run("run", *words, "--out", study_file.parent / "run", "--workers", 2, "--set", "seeds=2")
    assert done.exit_code == 0, done.output


def test_a_good_study_has_no_mistakes(study_file):
    assert "no mistakes; 240 events" in _run("check", study_file).stdout


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("resnet", ["cnn1: reads [E, 3, 16, 16]", "5,583,360", "mlp1: reads [E, 256]", "197,120"]),
        ("mlp", ["mlp: reads [E, 256]", "LinearLast", "658,434"]),
    ],
)
def test_the_plan_of_a_file_of_models_lists_their_layers(name, lines):
    text = _run("plan", ARCHITECTURES / f"{name}.yaml").stdout
    assert f"no study; in a study, model: [{{ref: {name}.yaml#" in text
    assert [line for line in lines if line not in text] == []


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("4,16,16", "resnet.yaml:2:3: cnn1.0: fails on events of shape [4, 16, 16]"),
        (
            "3,x",
            "--shape: a shape is positive numbers with commas between them, such as 3,16,16; found '3,x'",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_shape_that_does_not_fit_a_file_of_models_is_a_mistake(
    command, shape, message, monkeypatch, capsys
):
    code, out = _main(monkeypatch, capsys, command, ARCHITECTURES / "resnet.yaml", "--shape", shape)
    assert code == 2
    assert message in out.err


def test_a_file_of_models_is_checked_as_one():
    path = ARCHITECTURES / "resnet.yaml"
    found = "no mistakes; cnn1 with 5,583,360 parameters, mlp1 with 197,120 parameters"
    assert " ".join(_run("check", path).stdout.split()) == f"{path} holds models and is no study: {found}"


def test_a_misspelt_layer_in_a_file_of_models_has_its_place(tmp_path, monkeypatch, capsys):
    path = tmp_path / "nets.yaml"
    path.write_text("small:\n- { key: Linera, args: [2, 1] }\n", encoding="utf-8")
    code, out = _main(monkeypatch, capsys, "check", path)
    assert code == 2
    assert "nets.yaml:2:10: small.0.key: unknown layer 'Linera' (did you mean 'Linear'?)" in out.err


def test_the_plan_shows_sizes_stages_and_trials(study_file):
    text = _run("plan", study_file).stdout
    for word in (
        "ScaleFactor",
        "4,353",
        "pretrain classify",
        "true_tau_p4 for tau_p4",
        "1 trial with 1 seed",
        "ScaleFactor: alone",
    ):
        assert word in text


def test_the_plan_shows_what_is_trained_in_step_and_how(study_of, pipeline_of, tmp_path):
    first = choice(scale=node("ScaleFactor"), cnn=node("TauCNN"))
    chain = pipeline_of(first=first, second=node("MLP", hidden=[4]))
    study = study_of(chain, seeds=3, vary={"train.intermediate": {"chain": True, "end to end": False}})
    path = tmp_path / "study.yaml"
    path.write_text(dump_yaml(study), encoding="utf-8")
    text = _run("plan", path).stdout
    assert "Trained in step" in text
    assert "│ 6 + 6" in text
    assert "TauCNN: loop" in text
    assert "MLP: batched" in text
    assert "Supernet" in text


def test_the_plan_shows_which_losses_are_combined_and_what_they_share(study_of, pipeline_of, tmp_path):
    how = {"sum": "sum", "mgda": node("mgda", features=True)}
    path = tmp_path / "study.yaml"
    path.write_text(dump_yaml(study_of(pipeline_of(), vary={"train.aggregate": how})), encoding="utf-8")
    text = _run("plan", path).stdout
    for words in (
        "combined by mgda(features=True)",
        "calibrate (6)",
        "classify (4,353)",
        "cut at the shared",
    ):
        assert words in text
    assert text.count("combined by") == 1


def test_the_plan_counts_the_stages_that_are_shared(study_of, pipeline_of, tmp_path):
    models = {f"{size}": node("MLP", hidden=[size]) for size in (2, 3, 4)}
    chain = pipeline_of(choice(scale=node("ScaleFactor"), cnn=node("TauCNN")), choice(**models))
    study = study_of(chain, seeds=2, vary={"train.joint": {"together": True, "one by one": False}})
    path = tmp_path / "study.yaml"
    path.write_text(dump_yaml(study), encoding="utf-8")
    # Of 24 trials with three stages each: 2 x 2 and 3 x 2 pretrainings, and 24 last stages.
    assert "34 stages are trained instead of 72" in _run("plan", path).stdout
    alone = _run(
        "plan", path, "--set", "train.pretrain=false", "--set", "train.joint=true", "--set", "vary={}"
    )
    assert "stages are trained instead" not in alone.stdout


def test_the_plan_shows_the_class_weights_of_the_training_events(study_file):
    balanced = ["tasks.classify.loss.key=class_balanced", "tasks.classify.loss.args={one_minus_beta: 0.01}"]
    text = _run("plan", study_file, *(part for each in balanced for part in ("--set", each))).stdout
    assert "Classes of class_balanced(score, is_higgs)" in text
    assert "training events" in text
    assert "Classes of" not in _run("plan", study_file).stdout


def test_the_plan_names_frozen_tasks(study_file):
    text = _run("plan", study_file, "--set", "train.joint=false").stdout
    assert "classify after calibrate" in text
    assert "tau_p4 of the frozen calibrate" in text


def test_the_plan_takes_models_that_are_lists_of_layers(study_of, pipeline_of, tmp_path):
    layers = [node("Flatten"), node("Linear", 6, 1), node("Flatten", 0)]
    path = tmp_path / "study.yaml"
    path.write_text(dump_yaml(study_of(pipeline_of(second=layers), seeds=2)), encoding="utf-8")
    assert "list: batched" in _run("plan", path).stdout


def test_the_plan_counts_the_trials_on_other_events(study_of, tmp_path):
    study = study_of(seeds=2, vary={"data.weight": {"weighted": "weight", "plain": None}})
    path = tmp_path / "study.yaml"
    path.write_text(dump_yaml(study), encoding="utf-8")
    assert "and 2 on other events" in _run("plan", path).stdout


def test_run_and_report_leave_tables_and_figures_and_are_quiet(study_file, tmp_path):
    done = _run("run", study_file, "--out", tmp_path / "out", "--set", "train.epochs=1")
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    assert (tmp_path / "out" / "results.csv").exists()
    assert (tmp_path / "out" / "summary.json").exists()
    drawn = _run("report", tmp_path / "out")
    assert drawn.exit_code == 0
    assert list((tmp_path / "out" / "figures").glob("*.png"))


def test_all_mistakes_come_at_once_with_their_places(tmp_path, monkeypatch, capsys):
    path = tmp_path / "study.yaml"
    path.write_text(MISTAKEN, encoding="utf-8")
    code, printed = _main(monkeypatch, capsys, "check", path)
    assert code == 2
    assert f"{path}:11:3: train.epocs" in printed.err
    assert "did you mean 'epochs'" in printed.err


def test_keys_are_checked_with_their_places_too(tmp_path, monkeypatch, capsys):
    path = tmp_path / "study.yaml"
    path.write_text(MISTAKEN.replace("epocs", "epochs"), encoding="utf-8")
    code, printed = _main(monkeypatch, capsys, "check", path)
    assert code == 2
    assert (
        f"{path}:8:19: tasks.calibrate.model.key: unknown layer 'TauCNM' (did you mean 'TauCNN'?)"
        in printed.err
    )
    assert "did you mean 'four_momentum'" in printed.err
    assert "did you mean 'Adam'" in printed.err
    assert "no file matches" in printed.err
    assert "4 mistakes found; nothing was run" in printed.err


def test_an_override_is_checked_like_the_file(study_file, monkeypatch, capsys):
    code, printed = _main(monkeypatch, capsys, "check", study_file, "--set", "train.epochs=five")
    assert code == 2
    assert "--set" in printed.err
    assert "train.epochs" in printed.err


def test_a_missing_file_is_one_line(tmp_path, monkeypatch, capsys):
    code, printed = _main(monkeypatch, capsys, "check", tmp_path / "nothing.yaml")
    assert code == 2
    assert "nothing.yaml" in printed.err
    assert "Traceback" not in printed.err


def test_help_starts_without_torch():
    import subprocess
    import sys

    program = "import sys, tsunagu.cli; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_mistakes_of_all_kinds_come_together(tmp_path, sample_file, monkeypatch, capsys):
    path = tmp_path / "study.yaml"
    path.write_text(
        MISTAKEN.replace("files: events.npz", f"files: {sample_file}").replace("[jet_image]", "[jet_imag]"),
        encoding="utf-8",
    )
    code, printed = _main(monkeypatch, capsys, "check", path)
    assert code == 2
    lines = printed.err.replace(f"{path}:", "").splitlines()
    for word in ("jet_imag", "TauCNM", "four_momentun", "epocs", "Adma"):
        assert any(word in line for line in lines), (word, lines)
    assert "5 mistakes found" in lines[-1]
    assert [int(line.partition(":")[0]) for line in lines[:-1]] == [6, 8, 9, 11, 12]


def test_trials_run_where_an_option_or_the_study_says(study_file, tmp_path, monkeypatch):
    from tsunagu.trials import Dask, Executor, InProcess, Processes

    used = []

    def note(self, job, populations, on_end):
        used.append(self)

    for executor in (InProcess, Processes, Dask):
        monkeypatch.setattr(executor, "run", note)
    assert issubclass(Processes, Executor)
    run = ("run", study_file, "--out", tmp_path / "out")
    for words in (
        (),
        ("--workers", 2),
        ("--dask", "local"),
        ("--dask", "tcp://host:8786"),
        ("--set", "executor=processes"),
        ("--set", "executor.key=dask", "--set", "executor.args.cluster=slurm", "--workers", 3),
    ):
        assert _run(*run, *words).exit_code == 0
    assert used[::2] == used[1::2]  # what has no result is attempted twice
    assert used[::2] == [
        InProcess(),
        Processes(workers=2),
        Dask(),
        Dask(cluster="tcp://host:8786"),
        Processes(),
        Dask(cluster="slurm", workers=3),
    ]


def test_a_mistake_of_the_executor_is_found_with_the_others(study_file, monkeypatch, capsys):
    text = study_file.read_text(encoding="utf-8").replace("executor: null\n", "")
    wrong = text.replace("epochs: 2", "epocs: 2") + "executor:\n  key: dask\n  args: { cluster: slurn }\n"
    study_file.write_text(wrong, encoding="utf-8")
    code, printed = _main(monkeypatch, capsys, "check", study_file)
    assert code == 2
    line = len(wrong.splitlines())
    assert f"{study_file}:{line}:20: executor.args.cluster: expected local, slurm, htcondor" in printed.err
    assert "did you mean 'slurm'" in printed.err
    assert "2 mistakes found" in printed.err


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--dask", "slurn"), "executor.args.cluster: expected local, slurm, htcondor"),
        (("--dask", "htcondor"), "executor.args.workers: is missing: how many jobs htcondor shall run"),
    ],
)
def test_a_mistake_in_an_option_is_named(words, found, study_file, tmp_path, monkeypatch, capsys):
    code, printed = _main(monkeypatch, capsys, "run", study_file, "--out", tmp_path / "out", *words)
    assert code == 2
    assert found in printed.err
    assert not (tmp_path / "out").exists()
