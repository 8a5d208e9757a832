"""Simulate a sample: shards in parallel, each whole or absent, then one Parquet file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tsunagu.errors import DataError, did_you_mean
from tsunagu.machine import usable_cores
from tsunagu.samples.files import alone, is_whole
from tsunagu.samples.settings import Analysis, Settings, settings_hash
from tsunagu.samples.shards import Shard, plan_shards

__all__ = ["generate", "is_generated", "is_outdated", "ready_sample"]

READY = ("htautau", "taujet")
ENDINGS = (".parquet", ".pq")
NOTES = "sample.json"
Progress = Callable[[int, int], None]


def generate(
    settings: Settings, path: Path, *, workers: int | None = None, progress: Progress | None = None
) -> Path:
    """Simulate a sample and write it as Parquet, or as a folder of ROOT files for an :class:`Analysis`.

    An interrupted generation continues with the shards that are there, whatever ended it; the same settings give the
    same file, byte for byte, whatever the number of workers and interruptions. ROOT files have the time of their writing
    in them; their events are the same.

    Args:
        settings: what to simulate.
        path: the file or folder to write; one that is there is replaced. Its shards lie beside it until it is whole.
        workers: processes; all usable cores by default.
        progress: called with (rows done, rows in all), about twice a second.

    Returns:
        The path.

    Raises:
        DataError: Pythia, numba or awkward is not installed, or the path cannot be that of a Parquet file.
        ResumeError: the disk is full, the folder cannot be written, another process is making the same file, or a
            worker was killed; the message says how to go on.
    """
    from tsunagu.samples.generator import import_pythia

    _check(settings, path, workers)
    import_pythia()
    _check_writer(settings)
    pieces = path.with_name(f"{path.name}.shards")
    with alone(pieces, path):
        folder = pieces / settings_hash(settings)
        shards = plan_shards(settings)
        _make_missing(shards, folder, workers or usable_cores(), progress or _silent)
        _write(settings, shards, folder, path)
        shutil.rmtree(folder, ignore_errors=True)
    return path


def is_generated(settings: Settings, path: Path) -> bool:
    """Whether the file is there and was made with these settings.

    >>> from tsunagu.samples import HTauTau
    >>> is_generated(HTauTau(), Path("no-such-file.parquet"))
    False
    """
    return bool(_notes(path).get("settings_hash") == settings_hash(settings))


def is_outdated(settings: Settings, path: Path) -> bool:
    """Whether the file was made with these settings by a version that wrote another file.

    >>> from tsunagu.samples import HTauTau
    >>> is_outdated(HTauTau(), Path("no-such-file.parquet"))
    False
    """
    notes, wanted = _notes(path), json.loads(json.dumps(asdict(settings)))
    same = notes.get("sample") == type(settings).__name__ and notes.get("settings") == wanted
    return same and not is_generated(settings, path)


def ready_sample(name: str) -> Path:
    """The ready-made sample ``htautau`` or ``taujet`` that is installed with the package.

    >>> ready_sample("htautau").name
    'htautau.parquet'
    """
    if name not in READY:
        msg = f"there is no ready-made sample '{name}'{did_you_mean(name, READY)}"
        raise DataError(msg)
    return Path(str(files("tsunagu").joinpath("samples", "ready", f"{name}.parquet")))


def _silent(done: int, total: int) -> None:
    """No progress is shown."""


def _check(settings: Settings, path: Path, workers: int | None) -> None:
    folder = isinstance(settings, Analysis)
    if folder and path.is_file():
        msg = f"{path}: is a file; give the name of a folder for the ROOT files"
        raise DataError(msg)
    if not folder and path.suffix not in ENDINGS:
        msg = f"{path}: a sample is a Parquet file, so its name ends in {' or '.join(ENDINGS)}"
        raise DataError(msg)
    if not folder and path.is_dir():
        msg = f"{path}: is a folder; give the name of a file in it"
        raise DataError(msg)
    if workers is not None and workers < 1:
        msg = f"workers: expected at least 1, found {workers}"
        raise DataError(msg)


def _check_writer(settings: Settings) -> None:
    if isinstance(settings, Analysis) and find_spec("uproot") is None:
        msg = "ROOT files need uproot: pip install 'tsunagu[samples,root]'"
        raise DataError(msg)


def _make_missing(shards: list[Shard], folder: Path, workers: int, progress: Progress) -> None:
    missing = [shard for shard in shards if not is_whole(folder / shard.name)]
    total = sum(shard.rows for shard in shards)
    done = total - sum(shard.rows for shard in missing)
    progress(done, total)
    if missing:
        from tsunagu.samples.pool import make_shards

        make_shards(missing, folder, workers, lambda made: progress(done + made, total))


def _write(settings: Settings, shards: list[Shard], folder: Path, path: Path) -> None:
    if isinstance(settings, Analysis):
        from tsunagu.samples.datasets import write_datasets

        write_datasets(settings, shards, folder, path)
        return
    from tsunagu.samples.merge import merge
    from tsunagu.samples.schema import write_parquet

    columns, metadata = merge(settings, shards, folder)
    write_parquet(path, columns, metadata)


def _notes(path: Path) -> dict[str, Any]:
    """What a generated file says about itself; nothing for any other file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.is_dir():
            return dict(json.loads((path / NOTES).read_text(encoding="utf-8")))
        stored = pq.read_schema(path).metadata or {}
        return dict(json.loads(stored.get(b"tsunagu", b"{}")))
    except (OSError, ValueError, pa.ArrowException):
        return {}
