"""Everything that can be found wrong with a study before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tsunagu.data import Table
from tsunagu.data.headers import Headers
from tsunagu.errors import ChoiceError, DataError, Mistake, SpecError
from tsunagu.losses import SUM
from tsunagu.metrics import parse_metric
from tsunagu.search import Searcher, Space, check_searcher, make_searcher
from tsunagu.spec import (
    Search,
    Study,
    blame,
    canonical,
    check_analysis,
    check_choices,
    check_columns,
    check_leaks,
    choices,
    options,
    some_architectures,
    variations,
)
from tsunagu.studies.opening import Tables, stored_columns, study_headers
from tsunagu.studies.searching import mixes, shares_weights, supernet
from tsunagu.tasks import check_data, check_pipeline, check_supernet
from tsunagu.train import check_optimizer, check_schedule
from tsunagu.trials.executors import check_executor

__all__ = ["check_headers", "check_spec", "check_study"]


def check_spec(study: Study, base: Path | None = None) -> list[Mistake]:
    """The mistakes that can be seen without reading an event, where they stand in the study.

    Args:
        study: with variations and choices.
        base: the folder that file names are relative to; None leaves the names of columns unchecked.
    """
    stored, mistakes = (None, []) if base is None else stored_columns(study.data, base)
    mistakes += check_analysis(study, stored)
    mistakes += _check_baselines(study, None if stored is None else stored | study.data.columns.keys())
    for labels, each in variations(study):
        stored, unopened = (None, []) if base is None else stored_columns(each.data, base)
        mistakes += blame([*unopened, *_check_varied(each, stored)], study, labels)
    mistakes += check_executor(study.executor, ("executor",))
    return list(dict.fromkeys(mistakes))


def check_study(study: Study, base: Path) -> Tables:
    """Everything that can be found wrong before training, all mistakes at once; returns the opened tables.

    Raises:
        SpecError: mistakes of the specification, with their paths; names that are no columns are among them.
        DataError: mistakes of the data, where the specification has none.
    """
    if mistakes := check_spec(study, base):
        raise SpecError(mistakes)
    varied = variations(study)
    tables = Tables.open([study, *(each for _, each in varied)], base)
    for labels, each in varied:
        try:
            _check_data(each, tables.of(each.data))
        except SpecError as error:
            mistakes += blame(error.mistakes, study, labels)
    if mistakes:
        raise SpecError(list(dict.fromkeys(mistakes)))
    return tables


def check_headers(study: Study, base: Path) -> Headers:
    """As :func:`check_study`, as far as the headers of the files tell: no event is read.

    Raises:
        SpecError: mistakes of the specification.
        DataError: columns of unfit types, shapes or lengths, of any variation.
    """
    if mistakes := check_spec(study, base):
        raise SpecError(mistakes)
    problems: list[str] = []
    for each in {canonical(each.data): each for _, each in variations(study)}.values():
        try:
            study_headers(each, base)
        except DataError as error:
            problems += str(error).splitlines()
    if problems:
        raise DataError("\n".join(dict.fromkeys(problems)))
    return study_headers(study, base)


def _check_data(study: Study, table: Table) -> None:
    """What does not fit the events; of a search no architecture is tried for its own sake."""
    split = table.split(study.data.folds)
    if study.search is None:
        check_data(study.pipeline, table, split)
        return
    searcher = make_searcher(study.search.searcher)
    if not shares_weights(searcher):
        check_data(study.pipeline, table, split, some_architectures(study.pipeline))
    elif mistakes := check_supernet(supernet(study, study.search), table, mixed=mixes(searcher)):
        raise SpecError(mistakes)


def _check_search(study: Study) -> list[Mistake]:
    search, path = study.search, ("search",)
    if search is None or check_choices(study.pipeline):
        return []
    if choices(search):
        return [
            Mistake((*path, "args"), "a search is the same for all architectures, and has no choice in it")
        ]
    if mistakes := check_searcher(search.searcher, path):
        return mistakes
    if not choices(study.pipeline):
        found = "nothing is left to choose here; leave out search, or set `search: null` where nothing is"
        return [Mistake(path, found)]
    searcher = make_searcher(search.searcher)
    return _check_supernet(study, search) if shares_weights(searcher) else _check_candidates(study, searcher)


def _check_supernet(study: Study, search: Search) -> list[Mistake]:
    if any(node.key != SUM for _, node in options(study.train.aggregate)):
        found = (
            "a supernet is trained on the sum of its losses; take Grid or Evolution, or train.aggregate: sum"
        )
        return [Mistake(("search", "key"), f"{search.key}: {found}")]
    if study.train.joint is not False:
        return []
    found = "a supernet is searched while all its tasks are trained together; take Grid or Evolution, or train.joint: true"
    return [Mistake(("search", "key"), f"{search.key}: {found}")]


def _check_candidates(study: Study, searcher: Searcher[Any, Any, Any]) -> list[Mistake]:
    search = study.search
    settings = {"epochs": None, "pretrain_epochs": None, "start": "scratch"}
    mistakes = [
        Mistake(
            ("search", name),
            f"this is of a supernet; {type(searcher).__name__} trains each candidate as train says",
        )
        for name, default in settings.items()
        if getattr(search, name) != default
    ]
    try:
        searcher.init(Space(study.pipeline), 1)
    except (ChoiceError, ModuleNotFoundError) as error:
        mistakes.append(Mistake(("search",), str(error)))
    return mistakes


def _check_varied(study: Study, stored: set[str] | None) -> list[Mistake]:
    names = None if stored is None else stored | study.data.columns.keys()
    mistakes = check_columns(study.data, stored) + check_leaks(study.data, study.pipeline)
    mistakes += check_pipeline(study.pipeline, names) + _check_search(study)
    for path, optimizer in options(study.train.optimizer, ("train", "optimizer")):
        mistakes += check_optimizer(optimizer, path)
    for path, schedule in options(study.train.schedule, ("train", "schedule")):
        mistakes += check_schedule(schedule, path)
    return mistakes


def _check_baselines(study: Study, columns: set[str] | None) -> list[Mistake]:
    mistakes: list[Mistake] = []
    for name, text in study.baselines.items():
        try:
            call = parse_metric(text)
            found = call.check(columns) if columns is not None else []
        except SpecError as error:
            found = list(error.mistakes)
        mistakes += [Mistake(("baselines", name), mistake.message) for mistake in found]
    return mistakes
