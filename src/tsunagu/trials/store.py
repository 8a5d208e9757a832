"""One folder for each trial, named by its digest; a folder with its final name is finished and never written again."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from tsunagu.errors import ResumeError
from tsunagu.train import Epoch, Position, Training
from tsunagu.trials.files import read_tensors, write_bytes, write_tensors
from tsunagu.trials.result import Result

__all__ = ["Store"]

CHECKPOINT = "checkpoint.safetensors"


@final
@dataclass(frozen=True)
class Store:
    """Where results live: ``root/<digest>`` when finished, ``root/<digest>.part`` while a trial runs.

    >>> import tempfile
    >>> Store(Path(tempfile.mkdtemp())).find("0123")
    """

    root: Path

    def find(self, digest: str) -> Result | None:
        """The finished trial of this name, or None.

        Raises:
            ResumeError: the folder is there but its result cannot be read.
        """
        folder = self.root / digest
        if not folder.exists():
            return None
        try:
            return Result.loads((folder / "result.json").read_text(encoding="utf-8"), folder)
        except (OSError, ValueError, TypeError, KeyError) as error:
            msg = f"{folder}: this trial's result cannot be read ({error}); remove the folder to run the trial again"
            raise ResumeError(msg) from error

    def working(self, digest: str) -> Path:
        """The folder of a trial that is not finished."""
        return self.root / f"{digest}.part"

    def save_checkpoint(self, digest: str, training: Training) -> None:
        """Store the state of a training; a crash at any moment leaves this one or the one before."""
        place = training.position
        noted = Position(**vars(place) | {"seconds": training.seconds})
        write_tensors(self.working(digest) / CHECKPOINT, training.tensors(), noted.dumps())

    def load_checkpoint(self, digest: str, training: Training) -> bool:
        """Put a training back to its last checkpoint, if there is one.

        Raises:
            ResumeError: the checkpoint is damaged or of another pipeline.
        """
        path = self.working(digest) / CHECKPOINT
        if not path.exists():
            return False
        tensors, note = read_tensors(path)
        try:
            training.restore(Position.loads(note), tensors)
        except (KeyError, ValueError, TypeError) as error:
            msg = (
                f"{path}: not a checkpoint of this trial ({error}); remove this file to begin the trial again"
            )
            raise ResumeError(msg) from error
        return True

    def finish(self, result: Result) -> Result:
        """Give the folder its final name; the checkpoint goes."""
        working = self.working(result.digest)
        write_bytes(working / "result.json", result.dumps().encode())
        (working / CHECKPOINT).unlink(missing_ok=True)
        final_path = self.root / result.digest
        if final_path.exists():
            shutil.rmtree(working)
        else:
            working.rename(final_path)
            _flush_folder(self.root)
        found = self.find(result.digest)
        assert found is not None
        return found


def write_history(path: Path, history: Iterable[Epoch]) -> None:
    """The learning curves as CSV, one line an epoch."""
    rows = [asdict(epoch) for epoch in history]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(Epoch.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())


def write_arrays(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Arrays as npz; equal arrays give equal bytes."""
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_bytes(path, content.getvalue())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
