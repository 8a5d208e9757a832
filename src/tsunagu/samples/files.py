"""The files of a generation: made again if they are damaged, and written by one process at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tsunagu.files import hold

__all__ = ["alone", "is_whole"]


def is_whole(path: Path) -> bool:
    """Whether an npz file is there and every byte of it is as it was written.

    >>> is_whole(Path("no-such-shard.npz"))
    False
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


@contextmanager
def alone(folder: Path, target: Path) -> Iterator[None]:
    """Hold the folder of the shards of a sample; the lock goes with the process, however that ends.

    Args:
        folder: made if it is not there, and removed at the end if nothing is left in it.
        target: the file that is made, for the message.

    Raises:
        ResumeError: another process holds it, or the folder cannot be made.
    """
    lock = folder / "lock"
    with hold(lock, target):
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()
                folder.rmdir()
