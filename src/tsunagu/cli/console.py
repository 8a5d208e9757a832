"""The terminal, and where in the file a mistake stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from tsunagu.errors import SpecError
from tsunagu.spec import Document, Sections

__all__ = ["console", "problems"]

WIDTH = 120
"""Columns where there is no terminal: in a file or a log a table need not be narrow."""

console = Console(highlight=False, soft_wrap=True)
if not console.is_terminal:
    console.width = WIDTH


@contextmanager
def problems(document: Document | Sections) -> Iterator[None]:
    """Give every mistake that is raised inside its place in the file."""
    try:
        yield
    except SpecError as error:
        raise SpecError(document.annotate(error.mistakes)) from error
