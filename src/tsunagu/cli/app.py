"""The commands. Each reads its arguments, calls one function of the library, and prints what came of it.

torch and its company are imported inside the commands: ``tsunagu --help`` should not take seconds.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tsunagu.cli.arguments import Out, Overrides, StudyFile
from tsunagu.cli.console import console, problems
from tsunagu.cli.deploy import apply, export, verify
from tsunagu.cli.measure import analyse, compare
from tsunagu.cli.reading import read_study
from tsunagu.cli.sample import sample
from tsunagu.errors import SpecError, TsunaguError

__all__ = ["app", "main"]

STOPPED = "stopped; run the same command again to continue\n"

app = typer.Typer(
    name="tsunagu",
    help="Connect models into one trainable analysis, and find the best model for every step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(sample, name="sample")

Workers = Annotated[
    int | None,
    typer.Option("--workers", "-w", min=1, help="Run trials in so many worker processes.", metavar="N"),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--dask",
        help="Run trials on a Dask cluster: local, slurm, htcondor, or the address of a scheduler.",
        metavar="CLUSTER",
    ),
]
Device = Annotated[
    str | None,
    typer.Option("--device", help="Compute on auto, cpu, cuda, or one GPU as cuda:1.", metavar="DEVICE"),
]
Shape = Annotated[
    str | None,
    typer.Option("--shape", help="Of an event, where the file holds models and no study.", metavar="3,16,16"),
]
HeadersOnly = Annotated[
    bool, typer.Option("--headers", help="Open the headers of the files alone, and read no event.")
]


@app.command()
def schema(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write here in place of the terminal.")
    ] = None,
) -> None:
    """Print the JSON schema of study files, for editors that complete and check."""
    from tsunagu.spec import schema as json_schema

    text = json.dumps(json_schema(), indent=2) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")


@app.command()
def check(
    study: StudyFile, overrides: Overrides = None, shape: Shape = None, headers: HeadersOnly = False
) -> None:
    """Find everything that is wrong with a study and its files, before any training; or with a file of models."""
    from tsunagu.cli.events import describe_headers, describe_processes
    from tsunagu.cli.sections import judge_sections, parse_shape
    from tsunagu.spec import load_sections
    from tsunagu.studies import check_headers, check_study
    from tsunagu.train import for_small_steps

    for_small_steps()
    if (sections := load_sections(study)) is not None:
        with problems(sections):
            console.print(judge_sections(sections, parse_shape(shape)), markup=False)
        return
    document = read_study(study, overrides)
    if headers:
        with problems(document):
            found = check_headers(document.study, study.parent)
        console.print(f"{study}: no mistakes in the headers; {found.columns} columns are needed")
        console.print(describe_headers(found))
        return
    with problems(document):
        table = check_study(document.study, study.parent).of(document.study.data)
    console.print(f"{study}: no mistakes; {len(table):,} events, {len(table.columns)} columns are read")
    for note in table.notes:
        console.print(note, markup=False)
    for grid in describe_processes(table):
        console.print(grid)


@app.command()
def plan(study: StudyFile, overrides: Overrides = None, shape: Shape = None) -> None:
    """Show what a run would do: models and sizes, stages, choices, trials, events; or the layers of a file of models."""
    from tsunagu.cli.plan import describe
    from tsunagu.cli.sections import describe_sections, parse_shape
    from tsunagu.spec import load_sections
    from tsunagu.studies import check_study
    from tsunagu.train import for_small_steps

    for_small_steps()
    if (sections := load_sections(study)) is not None:
        begin = parse_shape(shape)
        with problems(sections):
            for part in describe_sections(sections, begin):
                console.print(part)
        return
    document = read_study(study, overrides)
    with problems(document):
        table = check_study(document.study, study.parent).of(document.study.data)
        for part in describe(document.study, table):
            console.print(part)


@app.command()
def run(
    study: StudyFile,
    out: Out,
    overrides: Overrides = None,
    workers: Workers = None,
    cluster: Cluster = None,
    device: Device = None,
) -> None:
    """Run a study, or continue it, or return at once if it is finished."""
    from tsunagu.cli.progress import watching
    from tsunagu.report import explain, results_table
    from tsunagu.studies import run_study
    from tsunagu.train import for_small_steps
    from tsunagu.trials.executors import choose_executor, make_executor

    for_small_steps()
    words = [*(overrides or []), *([] if device is None else [f"device={device}"])]
    document = read_study(study, words)
    with problems(document), watching() as watcher:
        where = choose_executor(document.study.executor, workers=workers, cluster=cluster)
        executor = make_executor(where)
        try:
            outcome = run_study(document.study, out, base=study.parent, watcher=watcher, executor=executor)
        except KeyboardInterrupt:
            # Left to itself, typer ends without a word.
            sys.stderr.write(STOPPED)
            raise typer.Exit(130) from None
    if outcome.rows:
        console.print(results_table(out))
        for sentence in explain(out):
            console.print(f"  {sentence}", markup=False)
        console.print(f"{out}/results.csv: one row a trial; {out}/summary.json: the same for programs;")
        console.print(
            f"{out}/trials/: weights, predictions and learning curves. Figures: tsunagu report {out}"
        )
    for planned, error in outcome.failures:
        console.print(f"[red]failed:[/] {planned.method}, seed {planned.trial.seed}: {error}")
    if outcome.failures:
        console.print("Run the same command again to retry what failed; finished trials are kept.")
        raise typer.Exit(1)


@app.command()
def report(
    out: Annotated[Path, typer.Argument(help="Folder of a run.", metavar="OUT")],
    redraw: Annotated[bool, typer.Option("--redraw", help="Draw again what is up to date.")] = False,
) -> None:
    """Draw the figures of a run with their numbers beside them, and write a page to read and choose on."""
    from tsunagu.report import is_current, page_path
    from tsunagu.report import report as draw

    current = not redraw and is_current(out)
    if not current:
        draw(out)
    state = "up to date (--redraw draws them again)" if current else "drawn"
    console.print(f"Figures, each as PNG, PDF and CSV with its numbers: {state}")
    for path in sorted((out / "figures").glob("*.png")):
        console.print(f"  {path}", markup=False)
    console.print(f"All of it on one page, to open in a browser: {page_path(out)}", markup=False)


app.command()(analyse)
app.command()(compare)
app.command()(export)
app.command()(apply)
app.command()(verify)


def _is_first() -> bool:
    """Whether this is the process that speaks, of those that torchrun started: all find the same mistakes."""
    return os.environ.get("RANK", "0") == "0"


def main() -> None:
    """Run the command line; errors of ours are a few plain lines, never a traceback."""
    try:
        app()
    except SpecError as error:
        if not _is_first():
            sys.exit(2)
        for mistake in error.mistakes:
            sys.stderr.write(f"{mistake}\n")
        sys.stderr.write(
            f"{len(error.mistakes)} mistake{'s' if len(error.mistakes) > 1 else ''} found; nothing was run\n"
        )
        sys.exit(2)
    except TsunaguError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write(STOPPED)
        sys.exit(130)
