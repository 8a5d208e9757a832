"""Reading a study file for a command: what the file, the other packages and the files of events say, all at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tsunagu.errors import Mistake
from tsunagu.spec import Document, Study, load_study

__all__ = ["read_study"]


def read_study(path: Path, overrides: Sequence[str] | None) -> Document:
    """The study of a file with its overrides. Modules that lie beside it can be imported from now on.

    Raises:
        SpecError: mistakes of all kinds with their places, those of layers, losses and columns included.
    """
    # At the end: a file there must not hide a package.
    if (folder := str(path.parent.resolve())) not in sys.path:
        sys.path.append(folder)

    def further(study: Study, whole: bool) -> list[Mistake]:
        from tsunagu.studies import check_spec

        return check_spec(study, path.parent if whole else None)

    return load_study(path, overrides or [], further)
