"""Figures that belong to a run and are drawn by another command; the page of the run shows them with their captions."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from tsunagu.errors import ResumeError
from tsunagu.files import write_bytes
from tsunagu.report.style import Drawing, picture, save

__all__ = ["ALBUMS", "Album", "Picture", "read_albums", "write_album"]

INDEX = "figures.json"
DPI = 110
"""The page has nothing but the picture, which has to be read."""
FOLDERS = {"analysis": "Measurement", "comparison": "Simulation against data"}
ALBUMS = tuple(f"{folder}/{INDEX}" for folder in FOLDERS)
"""What tells that an album has changed."""


@final
@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure as a page shows it.

    Args:
        name: of its files.
        caption: what it shows and what that means.
        source: a small picture, as a data URL.
        beside: the folder of its files, as the page links it.
    """

    name: str
    caption: str
    source: str
    beside: str


@final
@dataclass(frozen=True, kw_only=True)
class Album:
    """The figures of one command."""

    id: str
    title: str
    pictures: tuple[Picture, ...]


def write_album(drawn: Mapping[str, tuple[Callable[[], Drawing], str]], folder: Path) -> list[Path]:
    """Draw figures as PNG, PDF and CSV, with a small picture each for the page; those of an earlier time go.

    Args:
        drawn: by name, what draws a figure, and its caption.
        folder: where they go.

    Raises:
        ResumeError: a file cannot be written.
    """
    for name in _index(folder):
        for suffix in (".png", ".pdf", ".csv", ".webp"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    written: list[Path] = []
    for name, (draw, _) in drawn.items():
        drawing = draw()
        written += save(drawing, folder / name)
        write_bytes(folder / f"{name}.webp", picture(drawing, DPI))
    captions = {name: caption for name, (_, caption) in drawn.items()}
    write_bytes(folder / INDEX, (json.dumps(captions, indent=1) + "\n").encode())
    return written


def read_albums(out: Path, page: Path) -> list[Album]:
    """The albums of a run, for a page in a folder.

    Raises:
        ResumeError: a picture is missing or cannot be read.
    """
    found = []
    for folder, title in FOLDERS.items():
        beside = os.path.relpath(out / folder, page).replace(os.sep, "/")
        pictures = tuple(
            Picture(name=name, caption=caption, source=_source(out / folder / f"{name}.webp"), beside=beside)
            for name, caption in _index(out / folder).items()
        )
        if pictures:
            found.append(Album(id=folder, title=title, pictures=pictures))
    return found


def _index(folder: Path) -> dict[str, str]:
    try:
        read = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(caption) for name, caption in read.items()} if isinstance(read, dict) else {}


def _source(path: Path) -> str:
    try:
        return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"
    except OSError as error:
        msg = f"{path}: cannot be read ({error}); run the analysis again"
        raise ResumeError(msg) from error
