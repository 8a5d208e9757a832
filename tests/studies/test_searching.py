"""A study that searches: what it trains, in which order, what it writes, and that nothing of it depends on a clock."""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import time

import pytest
import yaml

from tsunagu.errors import SpecError, TsunaguError
from tsunagu.metrics import kendall_tau
from tsunagu.spec import Search, choice, dump_yaml, load_study, node, some_architectures
from tsunagu.studies import Watcher, check_spec, check_study, count_stages, estimate, plan, run_study
from tsunagu.studies.searching import search_steps
from tsunagu.trials import Result

FIRST = choice(mlp=node("TauMLP", hidden=[4]), scale=node("ScaleFactor"))
SECOND = choice(mass=node("MassMLP", hidden=[4]), mlp=node("MLP", hidden=[4]), lstm=node("LSTM", hidden=[4]))
METHODS = {
    "every": {"search": None},
    "grid": {"search": "Grid"},
    "random": {"search": {"key": "Random", "args": {"evaluations": 2}}},
    "halving": {"search": {"key": "Halving", "args": {"rungs": 2}}},
    "evolution": {"search": {"key": "Evolution", "args": {"population": 2, "iterations": 2, "crossings": 0}}},
    "spos": {"search": "Spos"},
    "fair": {"search": {"key": "Spos", "args": {"fair": True}, "epochs": 3}},
    "asng": {"search": {"key": "Asng", "args": {"delta0": 0.3}}},
    "inherited": {"search": {"key": "Asng", "args": {"delta0": 0.3}, "start": "inherit"}},
    "enas": {"search": "Enas"},
    "darts": {"search": "Darts"},
    "gdas": {"search": "Gdas"},
}
CANDIDATES = ("every", "grid", "random", "halving", "evolution")
if importlib.util.find_spec("optuna"):
    METHODS["optuna"] = {"search": {"key": "Optuna", "args": {"evaluations": 3}}}
    CANDIDATES = (*CANDIDATES, "optuna")
SHARED = [name for name in METHODS if name not in CANDIDATES]


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def space(pipeline_of):
    return pipeline_of(FIRST, SECOND, epochs=3, pretrain_epochs=1, batch_size=72)


@pytest.fixture(scope="module")
def study(space, study_of):
    return study_of(space, methods=METHODS, seeds=2)


@pytest.fixture(scope="module")
def finished(study, tmp_path_factory):
    out = tmp_path_factory.mktemp("searched")
    return out, run_study(study, out, base=out)


def test_every_method_comes_to_one_architecture_a_seed(finished):
    out, outcome = finished
    assert not outcome.failures
    found = _rows(out / "chosen.csv")
    assert [(row["method"], row["seed"]) for row in found] == [(m, s) for m in METHODS for s in "12"]
    assert all(row["choice:tasks.classify.model"] in SECOND.options for row in found)


def test_a_grid_that_is_searched_is_the_grid(finished):
    chosen = _rows(finished[0] / "chosen.csv")
    own = [
        {name: cell for name, cell in row.items() if name != "method"}
        for row in chosen
        if row["method"] in ("every", "grid")
    ]
    assert own[:2] == own[2:]
    assert own[0]["tried"] == "6"


@pytest.mark.parametrize("method", SHARED)
def test_a_supernet_and_its_choice_are_one_line(method, finished):
    out, _ = finished
    rows = [row for row in _rows(out / "results.csv") if row["method"] == method]
    assert [row["seed"] for row in rows] == ["1", "2"]
    for row, chosen in zip(
        rows, [r for r in _rows(out / "chosen.csv") if r["method"] == method], strict=True
    ):
        search = json.loads(
            (out / "trials" / row["search:digest"] / "result.json").read_text(encoding="utf-8")
        )
        assert {
            name.removeprefix("choice:"): cell for name, cell in row.items() if name.startswith("choice:")
        } == search["architecture"]
        assert float(row["search:validation_auc"]) == search["metrics"]["validation_auc"]
        assert bool(row["search:confidence"]) == ("confidence" in search["metrics"])
        assert float(row["search:cpu_seconds"]) == search["cpu_seconds"]
        both = search["cpu_seconds"] + float(row["cpu_seconds"])
        assert float(chosen["cpu_seconds"]) == pytest.approx(both)
        assert chosen["tried"] == "1"


def test_what_was_chosen_from_scratch_is_a_trial_of_the_grid(finished):
    rows = _rows(finished[0] / "results.csv")
    grid = {row["digest"] for row in rows if row["method"] == "every"}
    for method in METHODS:
        own = {row["digest"] for row in rows if row["method"] == method}
        assert own.isdisjoint(grid) if method == "inherited" else own <= grid
    asng, inherited = ([r["search:digest"] for r in rows if r["method"] == m] for m in ("asng", "inherited"))
    assert asng == inherited


def test_a_candidate_of_a_short_training_is_never_chosen(finished, study):
    short = [row for row in finished[1].aside if row.planned.role == "short"]
    assert {row.planned.method for row in short} == {"halving"}
    assert {row.planned.trial.pipeline.train.epochs for row in short} == {1}
    assert len(short) == 2 * 6
    full = [row for row in finished[1].rows if row.planned.method == "halving"]
    assert len(full) == 2 * 2
    assert {row.planned.trial.pipeline.train.epochs for row in full} == {study.train.epochs}


def test_the_summary_tells_of_searches(finished):
    out, outcome = finished
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    methods = {each["method"]: each for each in summary["methods"]}
    assert "search" not in methods["every"]
    assert methods["grid"]["search"] == {"key": "Grid"}
    assert methods["spos"]["search"]["confidence"] == [None, None]
    assert all(1 / 6 < value <= 1 for value in methods["asng"]["search"]["confidence"])
    unit = summary["training"]["cpu_seconds"]
    full = {row.result.digest: row.result.cpu_seconds for row in outcome.rows}
    assert unit == pytest.approx(math.fsum(full.values()) / len(full))
    for name, each in methods.items():
        own = {
            (row.result.seed, row.result.digest): row.result.cpu_seconds
            for row in [*outcome.rows, *outcome.aside]
            if row.planned.method == name
        }
        assert each["cost"] == pytest.approx(sum(own.values()) / 2 / unit)


def test_the_ranking_of_a_supernet_is_compared_with_trainings_alone(finished):
    out, outcome = finished
    alone = {
        (row.result.seed, tuple(row.architecture.items())): row.result.metrics["validation_auc"]
        for row in outcome.rows
        if row.planned.method == "every"
    }
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    searches = {each["method"]: each.get("search", {}) for each in summary["methods"]}
    for method in SHARED:
        for seed, digest, tau in zip(
            (1, 2), searches[method]["trials"], searches[method]["kendall"], strict=True
        ):
            scores = _rows(out / "trials" / digest / "scores.csv")
            values = [float(row.pop("validation_auc")) for row in scores]
            assert len(values) == 6
            assert tau == pytest.approx(
                kendall_tau(values, [alone[seed, tuple(row.items())] for row in scores])
            )
    lines = _rows(out / "supernet.csv")
    assert len(lines) == len(SHARED) * 2 * 6


def test_a_second_run_trains_nothing_and_writes_the_same(finished, study):
    out, _ = finished
    tables = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    steps = []
    run_study(study, out, base=out, watcher=Watcher(step=steps.append))
    assert not steps
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == tables


class Killed(BaseException):
    """Like a kill, nothing in the package catches it."""


def _weights(out):
    return {path.parent.name: path.read_bytes() for path in out.glob("trials/*/weights.safetensors")}


def test_interrupted_again_and_again_it_trains_the_same(space, study_of, tmp_path):
    quick = space.model_copy(
        update={"train": space.train.model_copy(update={"epochs": 2, "checkpoint_seconds": 0.0})}
    )
    names = ("every", "halving", "asng", "inherited")
    study = study_of(quick, methods={name: METHODS[name] for name in names}, seeds=2)
    run_study(study, tmp_path / "whole", base=tmp_path)
    for limit in range(5, 1000, 7):
        left = iter(range(limit))

        def step(_, left=left):
            if next(left, None) is None:
                raise Killed

        try:
            run_study(study, tmp_path / "parts", base=tmp_path, watcher=Watcher(step=step))
            break
        except Killed:
            continue
    assert limit > 20
    assert _weights(tmp_path / "parts") == _weights(tmp_path / "whole")


def test_trials_are_announced_round_by_round(study, tmp_path):
    rounds, found, ended = [], [], []
    few = study.model_copy(update={"methods": {name: METHODS[name] for name in ("grid", "spos")}, "seeds": 1})
    watcher = Watcher(
        begin=rounds.append, found=lambda p, _: found.append(p), end=lambda p, _: ended.append(p)
    )
    run_study(few, tmp_path, base=tmp_path, watcher=watcher)
    assert [[each.role for each in planned] for planned in rounds] == [["trial"] * 6 + ["search"], ["trial"]]
    assert [each.method for each in found] == ["spos"]  # the grid has trained it
    assert len(ended) == 7


# What a search does with answers, without any training.


def _answers(values, study, failed=()):
    """Stands for finished trials: the validation metric of an architecture."""

    def known(_, trial):
        name = trial.architecture.get("tasks.classify.model", "")
        if name in failed:
            return TsunaguError("it is broken")
        metrics = {"validation_auc": values.get(name, 0.5)}
        taken = {"tasks.calibrate.model": "scale", "tasks.classify.model": "mlp"}
        return Result(
            digest=f"{name}{trial.pipeline.train.epochs}",
            seed=trial.seed,
            metrics=metrics,
            seconds=1.0,
            cpu_seconds=1.0,
            architecture=taken if trial.search else trial.architecture,
            parameters={},
            epochs={},
            path=None,
        )

    return known


@pytest.fixture
def one(study):
    def searching(**search):
        return study.model_copy(update={"methods": {}, "search": Search(**search)})

    return searching


def test_the_best_on_the_validation_events_is_chosen_and_what_fails_never(one):
    study = one(key="Grid")
    values = {"mass": 0.7, "mlp": 0.9, "lstm": 0.8}
    chosen = [
        [step.trial.architecture["tasks.classify.model"] for step in steps if step.chosen]
        for steps in (
            search_steps(study, 1, _answers(values, study)),
            search_steps(study, 1, _answers(values, study, failed=("mlp",))),
            search_steps(study, 1),
        )
    ]
    assert chosen == [["mlp"], ["lstm"], []]


def test_halving_goes_from_rung_to_rung(one):
    study = one(key="Halving", args={"rungs": 3, "factor": 2})
    steps = search_steps(study, 1, _answers({"mass": 0.7, "mlp": 0.9, "lstm": 0.8}, study))
    epochs = [step.trial.pipeline.train.epochs for step in steps]
    assert epochs == [1] * 6 + [2] * 3 + [3] * 2  # of 3 epochs a quarter, a half and all, rounded up
    assert {step.trial.pipeline.train.pretrain_epochs for step in steps} == {1}
    assert [step.role for step in steps] == ["short"] * 9 + ["trial"] * 2
    assert [step.trial.architecture["tasks.classify.model"] for step in steps if step.chosen] == ["mlp"]


def test_a_supernet_has_epochs_of_its_own(one):
    study = one(key="Asng", epochs=7)
    first, again = search_steps(study, 1, _answers({}, study))
    assert (first.trial.pipeline.train.epochs, first.trial.pipeline.train.pretrain_epochs) == (7, 1)
    assert again.trial.pipeline.train == study.train
    assert dict(again.trial.architecture)["tasks.classify.model"] == "mlp"
    assert (first.role, again.role, again.chosen, again.trial.begin) == ("search", "trial", True, None)


def test_what_inherits_is_not_pretrained_again(one):
    study = one(key="Asng", start="inherit")
    first, again = search_steps(study, 1, _answers({}, study))
    assert again.trial.begin == f"{3}"
    assert not again.trial.pipeline.train.pretrain
    assert first.trial.digest is not None


def test_a_choice_outside_the_models_is_searched_by_trainings(one, tmp_path):
    study = one(key="Random", args={"evaluations": 12})
    train = study.train.model_copy(update={"batch_size": choice(64, 72), "epochs": 1})
    study = study.model_copy(update={"train": train, "seeds": 1})
    assert not check_spec(study)
    check_study(study, tmp_path)
    assert {planned.trial.pipeline.train.batch_size for planned in plan(study)} == {64, 72}
    outcome = run_study(study, tmp_path, base=tmp_path)
    assert len(outcome.rows) == 12
    shared = study.model_copy(update={"search": Search(key="Spos")})
    with pytest.raises(SpecError, match=r"train.batch_size: .*cannot be made in a supernet"):
        check_study(shared, tmp_path)


def test_all_candidates_failing_is_the_failure_of_the_seed(study_of, pipeline_of, tmp_path):
    rates = choice(wild=node("SGD", lr=1e30), wilder=node("SGD", lr=1e31))
    study = study_of(pipeline_of(optimizer=rates, pretrain=False), search="Grid")
    outcome = run_study(study, tmp_path, base=tmp_path)
    assert not outcome.rows
    assert len(outcome.failures) == 2


def test_a_candidate_that_fails_leaves_the_others(study_of, pipeline_of, tmp_path):
    rates = choice(wild=node("SGD", lr=1e30), calm=node("SGD", lr=1e-3))
    study = study_of(pipeline_of(optimizer=rates, pretrain=False), search="Grid")
    outcome = run_study(study, tmp_path, base=tmp_path)
    assert len(outcome.failures) == 1
    (row,) = _rows(tmp_path / "chosen.csv")
    assert row["choice:train.optimizer"] == "calm"


def test_a_supernet_that_fails_is_the_failure_of_the_seed(study, tmp_path):
    wild = study.train.model_copy(update={"optimizer": node("SGD", lr=1e30), "pretrain": False})
    outcome = run_study(
        study.model_copy(update={"methods": {}, "train": wild, "search": Search(key="Spos"), "seeds": 1}),
        tmp_path,
        base=tmp_path,
    )
    ((planned, error),) = outcome.failures
    assert planned.role == "search"
    assert "not a number any more" in str(error)


# Before anything is trained.


MISTAKES = {
    "a": ({"key": "Spso"}, r"search.key: unknown searcher 'Spso' \(did you mean 'Spos'\?\)"),
    "b": ({"key": "Asng", "args": {"delta": 1}}, r"search.args: unknown argument 'delta'"),
    "c": ({"key": "Grid", "epochs": 3}, r"search.epochs: this is of a supernet; Grid trains each"),
    "d": ({"key": "Random", "start": "inherit"}, r"search.start: this is of a supernet"),
    "e": ({"key": "Grid", "args": {"limit": 3}}, r"search: 6 architectures, and Grid's limit is 3"),
    "f": (
        {"key": "Asng", "args": {"delta0": {"choice": [0.1, 0.3]}}},
        r"search.args: .* has no choice in it",
    ),
    "g": ({"key": "Spos", "at": {"w": 1.0}}, r"search.at.w: there is no condition 'w'; this trial has none"),
    "h": ({"key": "Grid", "at": {"w": 1.0}}, r"search.at: this is of a supernet; Grid trains each"),
}


@pytest.fixture
def written(study, tmp_path):
    def write(**changes):
        path = tmp_path / "study.yaml"
        data = yaml.safe_load(dump_yaml(study)) | {"methods": {}} | changes
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
        return load_study(path)

    return write


def test_mistakes_of_searches_come_at_once_each_with_its_place(written, tmp_path):
    methods = {name: {"search": search} for name, (search, _) in MISTAKES.items()}
    document = written(methods=methods)
    mistakes = document.annotate(check_spec(document.study, tmp_path))
    assert len(mistakes) == len(MISTAKES)
    for (name, (_, message)), mistake in zip(MISTAKES.items(), mistakes, strict=True):
        assert mistake.path[:2] == ("methods", name)
        assert mistake.where.startswith(f"{tmp_path}/study.yaml:")
        with pytest.raises(SpecError, match=message):
            raise SpecError([mistake])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"search": "Spos", "train": {"joint": False}}, "search.key: Spos: a supernet is searched while all"),
        (
            {"search": "Spos", "train": {"aggregate": "mgda"}},
            "search.key: Spos: a supernet is trained on the sum of its losses",
        ),
        (
            {"search": "Spos", "methods": {"x": {"search": 3}}},
            "methods.x.search: expected a mapping, found 3",
        ),
        ({"search": {"choice": ["Spos", "Asng"]}}, "search.key: is missing"),
    ],
    ids=["not joint", "combined", "number", "choice"],
)
def test_what_cannot_be_searched_is_said(changes, message, written):
    with pytest.raises(SpecError, match=message):
        raise SpecError(check_spec(written(**changes).study))


def test_where_nothing_is_left_to_choose_a_search_is_a_mistake(study_of, tmp_path):
    with pytest.raises(SpecError, match="search: nothing is left to choose here"):
        check_study(study_of(search="Spos"), tmp_path)


def test_options_that_cannot_be_mixed_are_a_mistake_only_for_those_that_mix(study_of, pipeline_of, tmp_path):
    layers = [node("Flatten"), node("Linear", 6, 1)]
    second = choice(flat=[*layers, node("Flatten", 0)], column=layers)
    check_study(study_of(pipeline_of(second=second), search="Spos"), tmp_path)
    for key in ("Darts", "Gdas"):
        with pytest.raises(SpecError, match=r"tasks.classify.model.*flat"):
            check_study(study_of(pipeline_of(second=second), search=key), tmp_path)


@pytest.fixture
def vast(study_of, pipeline_of):
    """6^6 architectures."""

    def make(search):
        names = ("ReLU", "GELU", "Mish", "ELU", "Tanh", "SiLU")
        layers = [node("Flatten"), node("Linear", 6, 6)]
        for _ in range(6):
            layers += [choice(*map(node, names)), node("Linear", 6, 6)]
        return study_of(
            pipeline_of(second=[*layers, node("Linear", 6, 1), node("Flatten", 0)], epochs=1), search=search
        )

    return make


@pytest.mark.parametrize(
    "search", ["Spos", "Asng", "Darts", {"key": "Random", "args": {"evaluations": 4}}, "Evolution"], ids=str
)
def test_a_vast_space_is_not_gone_through(search, vast, tmp_path):
    study = vast(search)
    begun = time.process_time()
    table = check_study(study, tmp_path).of(study.data)
    assert len(list(some_architectures(study.pipeline))) == 6 + 5 * 5
    planned = list(plan(study))
    assert planned
    count_stages(planned)
    assert estimate(study, table).trainings > 0
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    ("search", "steps", "unit", "trainings"),
    [
        ({"key": "Grid"}, 6, "trainings", 6.0),
        ({"key": "Random", "args": {"evaluations": 4}}, 4, "trainings", 4.0),
        ({"key": "Halving", "args": {"rungs": 2}}, 8, "trainings", 4.0),
    ],
    ids=lambda value: value["key"] if isinstance(value, dict) else "",
)
def test_what_candidates_cost_is_known_before(search, steps, unit, trainings, one, tmp_path):
    study = one(**search)
    found = estimate(study, check_study(study, tmp_path).of(study.data))
    assert (found.steps, found.unit, found.trainings) == (steps, unit, pytest.approx(trainings))


def test_what_supernets_cost_is_told_in_order(one, tmp_path):
    table = check_study(one(key="Spos"), tmp_path).of(one(key="Spos").data)

    def cost(**search):
        return estimate(one(**search), table).trainings

    assert 1 < cost(key="Spos") < cost(key="Gdas") < cost(key="Darts") < cost(key="Darts", args={"order": 2})
    assert cost(key="Spos") < cost(key="Spos", args={"fair": True})
    assert cost(key="Asng") < cost(key="Asng", epochs=9)
