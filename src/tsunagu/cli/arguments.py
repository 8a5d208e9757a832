"""Arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Out", "Overrides", "StudyFile"]

StudyFile = Annotated[Path, typer.Argument(help="The study, a YAML file.", metavar="STUDY.yaml")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a value, such as train.epochs=5.", metavar="PATH=VALUE"),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the results.", metavar="OUT")]
