"""Simulate a sample: shards in parallel, each whole or absent, then one Parquet file."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from importlib.resources import files
from pathlib import Path

from tsunagu.errors import DataError, did_you_mean
from tsunagu.samples.settings import Settings, settings_hash
from tsunagu.samples.shards import Shard, make_minimum_bias, make_shard, plan_shards, write_whole

__all__ = ["generate", "is_generated", "ready_sample"]

LIBRARY = "min-bias.npz"
READY = ("htautau", "taujet")
Progress = Callable[[int, int], None]


def generate(
    settings: Settings, path: Path, *, workers: int | None = None, progress: Progress | None = None
) -> Path:
    """Simulate a sample and write it as Parquet.

    An interrupted generation continues with the shards that are there; the same settings give the same file, byte for
    byte, whatever the number of workers.

    Args:
        settings: what to simulate.
        path: the file to write; its shards lie beside it until it is whole.
        workers: processes; all usable cores by default.
        progress: called with (rows done, rows in all) whenever a shard is finished.

    Returns:
        The path.

    Raises:
        DataError: Pythia, numba or awkward is not installed.
    """
    from tsunagu.samples.generator import import_pythia
    from tsunagu.samples.merge import merge
    from tsunagu.samples.schema import write_parquet

    import_pythia()
    folder = path.with_name(f"{path.name}.shards") / settings_hash(settings)
    shards = plan_shards(settings)
    _make_missing(settings, shards, folder, workers or usable_cores(), progress or _silent)
    columns, metadata = merge(settings, shards, folder)
    part = path.with_name(f"{path.name}.part")
    write_parquet(part, columns, metadata)
    part.replace(path)
    shutil.rmtree(folder.parent)
    return path


def is_generated(settings: Settings, path: Path) -> bool:
    """Whether the file is there and was made with these settings.

    >>> from tsunagu.samples import HTauTau
    >>> is_generated(HTauTau(), Path("no-such-file.parquet"))
    False
    """
    import pyarrow.parquet as pq

    if not path.exists():
        return False
    notes = (pq.read_schema(path).metadata or {}).get(b"tsunagu", b"{}")
    return bool(json.loads(notes).get("settings_hash") == settings_hash(settings))


def ready_sample(name: str) -> Path:
    """The ready-made sample ``htautau`` or ``taujet`` that is installed with the package.

    >>> ready_sample("htautau").name
    'htautau.parquet'
    """
    if name not in READY:
        msg = f"there is no ready-made sample '{name}'{did_you_mean(name, READY)}"
        raise DataError(msg)
    return Path(str(files("tsunagu").joinpath("samples", "ready", f"{name}.parquet")))


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _silent(done: int, total: int) -> None:
    """No progress is shown."""


def _make_missing(
    settings: Settings, shards: list[Shard], folder: Path, workers: int, progress: Progress
) -> None:
    missing = [shard for shard in shards if not (folder / shard.name).exists()]
    total = sum(shard.rows for shard in shards)
    done = total - sum(shard.rows for shard in missing)
    progress(done, total)
    if not missing:
        return
    # Processes are spawned: Pythia and numba keep state that must not be forked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=min(workers, len(missing)), mp_context=context) as pool:
        if not (folder / LIBRARY).exists():
            pool.submit(_library, settings, folder).result()
        # The largest pieces first, so that no core waits for a late one; one piece a worker at first, since the
        # first to come compiles the detector for all.
        running = {
            pool.submit(_shard, shard, folder): shard for shard in sorted(missing, key=lambda s: -s.rows)
        }
        try:
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                done += sum(_rows_of(future, running.pop(future)) for future in finished)
                progress(done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _rows_of(future: Future[None], shard: Shard) -> int:
    future.result()
    return shard.rows


def _library(settings: Settings, folder: Path) -> None:
    write_whole(folder / LIBRARY, make_minimum_bias(settings))


def _shard(shard: Shard, folder: Path) -> None:
    write_whole(folder / shard.name, make_shard(shard, folder / LIBRARY))
