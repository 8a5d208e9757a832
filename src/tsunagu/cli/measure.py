"""``tsunagu analyse`` and ``compare``: what is measured with a score, and how simulation is like data."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tsunagu.cli.arguments import Out, Overrides, StudyFile
from tsunagu.cli.console import console, problems
from tsunagu.cli.reading import read_study

__all__ = ["analyse", "compare"]


def analyse(
    study: StudyFile,
    out: Out,
    overrides: Overrides = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method", help="Of the study; the best on the validation events without.", metavar="NAME"
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of the trainings; for each fold the best without.")
    ] = None,
) -> None:
    """From the scores of a finished run to templates, a pyhf workspace, and the expected significance."""
    from tsunagu.cli.analyse import describe_measurement
    from tsunagu.report import write_measurement
    from tsunagu.studies import measure_study
    from tsunagu.train import for_small_steps

    for_small_steps()
    document = read_study(study, overrides)
    folder = out / "analysis"
    with problems(document):
        measured = measure_study(document.study, out, study.parent, method, seed)
        write_measurement(measured, folder)
    words = f"{folder}/workspace.json: for pyhf; {folder}/templates.json: for hist; summary.json: all numbers"
    _tell(describe_measurement(measured), words, folder)
    console.print(f"All of it on the page of the run: tsunagu report {out}")


def compare(
    study: StudyFile,
    out: Out,
    overrides: Overrides = None,
    largest: Annotated[
        float, typer.Option("--largest", help="Factor of the reweighting, at most.", metavar="FACTOR")
    ] = 5.0,
) -> None:
    """Compare simulation with data: a classifier, each variable, and both again after a reweighting."""
    from tsunagu.cli.analyse import describe_comparison
    from tsunagu.report import write_comparison
    from tsunagu.studies import compare_study
    from tsunagu.train import for_small_steps

    for_small_steps()
    document = read_study(study, overrides)
    folder = out / "comparison"
    with problems(document):
        compared = compare_study(document.study, study.parent, largest=largest)
        write_comparison(compared, folder)
    words = f"{folder}/summary.json: all numbers; factors.npz: the factor of each simulated event"
    _tell(describe_comparison(compared), words, folder)


def _tell(parts: Iterable[Table | str], words: str, folder: Path) -> None:
    for part in parts:
        console.print(part, markup=False) if isinstance(part, str) else console.print(part)
    console.print(words, markup=False)
    for path in sorted(folder.glob("*.png")):
        console.print(f"  {path}", markup=False)
