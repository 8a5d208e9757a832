"""What a terminal shows while a study runs, and that nothing is drawn where nobody watches."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from tsunagu.cli import bars, progress
from tsunagu.spec import Folds, choice, node
from tsunagu.studies import run_study


@pytest.fixture
def screen(monkeypatch):
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=160, color_system=None)
    monkeypatch.setattr(progress, "console", console)
    monkeypatch.setattr(bars, "console", console)
    monkeypatch.setattr(progress, "REFRESH", 0.0)
    return written


def test_loss_metric_rate_and_time_are_shown(screen, study_of, pipeline_of, tmp_path):
    study = study_of(pipeline_of(epochs=8, pretrain=False, patience=None))
    with progress.watching() as watcher:
        run_study(study, tmp_path, watcher=watcher)
    text = screen.getvalue()
    for word in (
        "trials",
        "1/1",
        "chain, seed 1",
        "joint, epoch 8",
        "loss 0.",
        "auc(score, is_higgs) 0.",
        "events/s",
    ):
        assert word in text
    assert any(f"0:00:0{second}" in text for second in range(10))


def test_the_events_of_all_members_of_a_population_are_counted(
    screen, study_of, pipeline_of, table, tmp_path, monkeypatch
):
    monkeypatch.setattr(progress, "REFRESH", math.inf)
    study = study_of(pipeline_of(epochs=2, pretrain=False, patience=None), seeds=3)
    with progress.watching() as watcher:
        run_study(study, tmp_path, watcher=watcher)
    batches = math.ceil(len(table.split(Folds()).train) / 32)
    assert watcher.step.__self__.seen == 3 * 2 * batches * 32


def test_the_trials_of_a_search_are_added_as_they_are_planned(screen, study_of, pipeline_of, tmp_path):
    second = choice(mass=node("MassMLP", hidden=[4]), mlp=node("MLP", hidden=[4]))
    study = study_of(pipeline_of(second=second, epochs=1, pretrain=False), search="Asng", seeds=2)
    with progress.watching() as watcher:
        run_study(study, tmp_path, watcher=watcher)
        task = watcher.begin.__self__.progress.tasks[0]
        assert (task.completed, task.total) == (4, 4)
    with progress.watching() as watcher:
        run_study(study, tmp_path, watcher=watcher)
        task = watcher.begin.__self__.progress.tasks[0]
        assert (task.completed, task.total) == (4, 4)
    assert "events/s" in screen.getvalue()


def test_a_quiet_place_gets_no_bars(monkeypatch):
    console = Console(file=io.StringIO(), force_terminal=False)
    monkeypatch.setattr(progress, "console", console)
    monkeypatch.setattr(bars, "console", console)
    with progress.watching() as watcher:
        assert watcher.step is progress.Watcher().step
    with bars.events_bar("events") as bar:
        bar(10, 100)
    assert console.file.getvalue() == ""


def test_events_of_an_earlier_run_are_not_in_the_rate(screen):
    with bars.events_bar("htautau.parquet") as bar:
        bar(900, 1000)
        bar.began -= 10.0
        bar(1000, 1000)
    assert "1000/1000" in screen.getvalue()
    assert "10 events/s" in screen.getvalue()


def test_workers_tell_of_whole_trials(screen, study_of, tmp_path, monkeypatch):
    from tsunagu.trials import InProcess, Processes

    # The bars see only that it is remote.
    monkeypatch.setattr(Processes, "run", lambda self, *job: InProcess().run(*job))
    study = study_of(seeds=2)
    run_study(study.model_copy(update={"seeds": 1}), tmp_path, base=tmp_path)
    with progress.watching() as watcher:
        run_study(study, tmp_path, base=tmp_path, watcher=watcher, executor=Processes())
    text = screen.getvalue()
    for word in ("trials", "1/2", "2/2", "chain, seed 2: auc 0."):
        assert word in text
    assert "epoch" not in text
