"""``tsunagu export``, ``apply`` and ``verify``: trained chains for others, and their scores in event files."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from tsunagu.cli.console import console
from tsunagu.errors import Mistake, SpecError

__all__ = ["apply", "export", "verify"]


class Folds(StrEnum):
    """Which model scores an event."""

    OWN = "own"
    MEAN = "mean"
    MODULO = "modulo"


Exported = Annotated[Path, typer.Argument(help="Folder of an export.", metavar="EXPORT")]
At = Annotated[
    list[str] | None,
    typer.Option("--at", help="Value of a condition, such as one_minus_beta=1e-4.", metavar="NAME=VALUE"),
]
Replace = Annotated[bool, typer.Option("--replace", help="Replace what is there already.")]


def export(
    out: Annotated[Path, typer.Argument(help="Folder of a run.", metavar="OUT")],
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder of the export; OUT/export by default.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="By default the best on the validation events.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="By default, in each fold, the best on the validation events.")
    ] = None,
    trial: Annotated[
        str | None, typer.Option(help="A single trial, by the beginning of its digest.", metavar="DIGEST")
    ] = None,
    files: Annotated[
        list[str] | None, typer.Option("--files", help="Events to check by; those of the run by default.")
    ] = None,
    at: At = None,
    replace: Replace = False,
) -> None:
    """Write trained models as ONNX and as torch programs, each checked against torch on real events."""
    from tsunagu.studies import export_study

    folder = to or out / "export"
    manifest = export_study(
        out, folder, method=method, seed=seed, trial=trial, files=files or (), at=_values(at), replace=replace
    )
    console.print(
        f"{folder}: {manifest.method}, inputs {', '.join(each.name for each in manifest.inputs)}",
        markup=False,
    )
    for member in manifest.members:
        found = ", ".join(f"{name} {value:.1e}" for name, value in member.difference.items())
        console.print(
            f"  {member.folder}: seed {member.seed}, trial {member.trial[:12]}; onnxruntime against torch: {found}",
            markup=False,
        )
    if not manifest.rotates:
        console.print(
            f"  one model: events of folds other than {manifest.members[0].test} of {manifest.k} were trained or chosen "
            "on; `folds: {rotate: true}` in the study gives a model for every fold",
            markup=False,
        )


def apply(
    model: Exported,
    files: Annotated[
        list[str], typer.Argument(help="Event files: .parquet, .npz, .root; globs.", metavar="FILES")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the copies, or one file.", metavar="PATH")
    ],
    folds: Annotated[
        Folds,
        typer.Option(
            help="own: each event by the model of its fold; mean: by all models; modulo: by event number % k."
        ),
    ] = Folds.OWN,
    outputs: Annotated[
        list[str] | None, typer.Option("--output", help="What is written; the scores by default.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Before the names of the new columns.")] = "",
    tree: Annotated[str | None, typer.Option(help="Of ROOT files; that of the study by default.")] = None,
    process: Annotated[
        str | None, typer.Option(help="Whose events they are, where the study tells processes apart.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Score also events that the study's selection leaves out.")
    ] = False,
    at: At = None,
    replace: Replace = False,
) -> None:
    """Score event files: copies with the scores as new columns, branches, or a friend tree."""
    from tsunagu.export import apply_model

    done = apply_model(
        model,
        files,
        out,
        mode=folds.value,
        outputs=outputs or (),
        prefix=prefix,
        tree=tree,
        process=process,
        every=every,
        at=_values(at),
        overwrite=replace,
    )
    for each in done:
        kind = "a friend tree 'scores' with" if each.is_friend else "with"
        console.print(f"{each.path}: {each.events:,} events, {kind} {', '.join(each.columns)}", markup=False)
        if each.scored < each.events:
            left = each.events - each.scored
            console.print(f"  {left:,} of them do not pass the study's selection, and have NaN", markup=False)
        if each.seen:
            console.print(
                f"  {each.seen:,} of them are in folds that this single model was trained or chosen on, if they are events "
                "of the study",
                markup=False,
            )


def verify(
    folder: Exported,
    limit: Annotated[
        float | None, typer.Option(help="Largest difference: of probabilities, or relative; 1e-5 by default.")
    ] = None,
) -> None:
    """Run the stored batch of an export again and compare; the exit code is 1 if anything differs."""
    from tsunagu.export import verify_export

    found = verify_export(folder) if limit is None else verify_export(folder, limit)
    for (member, program, name), value in found.differences.items():
        console.print(f"  {member}/{program}: {name} differs by {value:.1e} at most", markup=False)
    for problem in found.problems:
        console.print(problem, style="red", markup=False)
    if found.problems:
        raise typer.Exit(1)
    console.print(
        f"{folder}: as it was exported; {found.events} events, {len(found.differences)} comparisons"
    )


def _values(texts: Sequence[str] | None) -> dict[str, Any]:
    """The values of conditions; those of a simplex are a list, as in ``trade=[0.3, 0.7]``."""
    from tsunagu.spec.overrides import parse_overrides

    given, mistakes = parse_overrides(texts or [])
    if mistakes or any(len(path) > 1 for path in given):
        wrong = next((text for text in texts or [] if "=" not in text or "." in text.partition("=")[0]), "")
        raise SpecError(
            [Mistake((), f"expected NAME=VALUE such as one_minus_beta=1e-4, found '{wrong}'", "--at")]
        )
    return {str(path[0]): value for path, value in given.items()}
