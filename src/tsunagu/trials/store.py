"""One folder for each trial, named by its digest; a folder with its final name is finished and never written again.

While a trial runs, its folder is ``<digest>.part`` and ``<digest>.lock`` is locked. ``result.json`` is the last file that is written there:
with it the trial is finished, and all that is left to do is to give the folder its name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tsunagu.errors import ResumeError
from tsunagu.files import flush_folder, hold, write_bytes
from tsunagu.train import Epoch, Position, Training
from tsunagu.trials.result import Result
from tsunagu.trials.tensors import read_tensors, write_tensors

__all__ = ["CHECKPOINT", "Store", "write_arrays", "write_history"]

CHECKPOINT = "checkpoint.safetensors"
RESULT = "result.json"


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
            return Result.loads((folder / RESULT).read_text(encoding="utf-8"), folder)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"{folder}: this trial's result cannot be read ({error}); remove the folder to run the trial again"
            raise ResumeError(msg) from error

    def working(self, digest: str) -> Path:
        """The folder of a trial that is not finished."""
        return self.root / f"{digest}.part"

    @contextmanager
    def hold(self, digest: str) -> Iterator[None]:
        """Keep other processes away from a trial while the block runs; a killed process keeps nobody away.

        Raises:
            ResumeError: another process is working on it.
        """
        lock = self.root / f"{digest}.lock"
        with hold(lock, self.root / digest):
            # What a killed process was writing; with the lock, nobody is writing now.
            for path in self.working(digest).glob("*.part"):
                path.unlink(missing_ok=True)
            yield
            # Of a trial that may run again the file stays: another process may be waiting at it.
            if (self.root / digest).exists():
                with suppress(OSError):
                    lock.unlink(missing_ok=True)

    def complete(self, digest: str) -> Result | None:
        """The result of a trial that was interrupted after its last file was written, or None."""
        return self._name(digest) if (self.working(digest) / RESULT).exists() else None

    def save_checkpoint(self, digest: str, training: Training) -> None:
        """Store the state of a training; a crash at any moment leaves this one or the one before."""
        self.save(digest, training.tensors(), training.position_now.dumps())

    def load_checkpoint(self, digest: str, training: Training) -> bool:
        """Put a training back to its last checkpoint, if there is one.

        Raises:
            ResumeError: the checkpoint is damaged or of another pipeline.
        """
        return self.load(digest, lambda note, tensors: training.restore(Position.loads(note), tensors))

    def save(self, digest: str, tensors: Mapping[str, Tensor], note: str) -> None:
        """Store a state, as tensors and a text."""
        write_tensors(self.working(digest) / CHECKPOINT, tensors, note)

    def load(self, digest: str, restore: Callable[[str, Mapping[str, Tensor]], None]) -> bool:
        """Hand the last state to a function that takes it up, if there is one.

        Raises:
            ResumeError: the checkpoint is damaged or of another trial.
        """
        path = self.working(digest) / CHECKPOINT
        if not path.exists():
            return False
        tensors, note = read_tensors(path)
        try:
            restore(note, tensors)
        except (ResumeError, KeyError, ValueError, TypeError) as error:
            msg = (
                f"{path}: not a checkpoint of this trial ({error}); remove this file to begin the trial again"
            )
            raise ResumeError(msg) from error
        return True

    def finish(self, result: Result) -> Result:
        """Write the result, and with it finish the trial; the checkpoint goes."""
        write_bytes(self.working(result.digest) / RESULT, result.dumps().encode())
        return self._name(result.digest)

    def _name(self, digest: str) -> Result:
        working, named = self.working(digest), self.root / digest
        try:
            (working / CHECKPOINT).unlink(missing_ok=True)
            flush_folder(working)
            working.rename(named)
        except OSError as error:
            msg = f"{working}: cannot be renamed to {named.name} ({error.strerror}); remove one of the two folders"
            raise ResumeError(msg) from error
        flush_folder(self.root)
        found = self.find(digest)
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
