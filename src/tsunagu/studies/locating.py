"""Where the files of a study are, and how they are opened."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files as files_of
from pathlib import Path

from tsunagu.data.processes import Opening
from tsunagu.errors import DataError, did_you_mean
from tsunagu.spec import Data, Process

__all__ = ["located_files", "located_processes", "named_files", "opening_of"]

READY = "ready"


def named_files(data: Data) -> str:
    """The files of a data section as they are written, for a message.

    >>> named_files(Data(files="a.npz"))
    'a.npz'
    """
    named = [data.files] if data.files is not None else [p.files for p in data.processes.values()]
    return ", ".join(name for names in named for name in ([names] if isinstance(names, str) else names))


def opening_of(data: Data) -> Opening:
    """How the files of a data section are opened."""
    return Opening(
        tree=data.tree,
        n_objects=data.n_objects,
        units=data.units,
        missing_codes=data.missing_codes,
        luminosity=data.luminosity,
    )


def located_files(data: Data, base: Path) -> list[str] | None:
    """The files of a section that has no processes, relative ones beginning at ``base``.

    Raises:
        DataError: there is no ready-made sample of this name.
    """
    return None if data.files is None else _located(data.files, base)


def located_processes(processes: Mapping[str, Process], base: Path) -> dict[str, Process]:
    """The same of processes."""
    return {
        name: process.model_copy(update={"files": _located(process.files, base)})
        for name, process in processes.items()
    }


def _located(files: str | list[str], base: Path) -> list[str]:
    return [_locate(name, base) for name in ([files] if isinstance(files, str) else files)]


def _locate(name: str, base: Path) -> str:
    kind, colon, sample = name.partition(":")
    if not (colon and kind == READY):
        return str(base / name)
    # The folder is read, not the package: the generator is an optional extra that nothing imports.
    shipped = {
        Path(str(file)).stem: file for file in files_of("tsunagu").joinpath("samples", READY).iterdir()
    }
    if sample not in shipped:
        msg = f"{name}: there is no ready-made sample '{sample}'{did_you_mean(sample, shipped)}"
        raise DataError(msg)
    return str(shipped[sample])
