"""The files of a generation: whole or absent, made again if they are damaged, and written by one process at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tsunagu.errors import ResumeError

__all__ = ["alone", "is_whole", "remove", "write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file at once: whoever reads it finds the old content or the new, never a part.

    Raises:
        ResumeError: the disk is full or the file cannot be written.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise _unwritable(path, error) from error


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


@contextlib.contextmanager
def alone(folder: Path, target: Path) -> Iterator[None]:
    """Hold the folder of the shards of a sample; the lock goes with the process, however that ends.

    Args:
        folder: made if it is not there, and removed at the end if nothing is left in it.
        target: the file that is made, for the message.

    Raises:
        ResumeError: another process holds it, or the folder cannot be made.
    """
    lock = folder / "lock"
    with _open_lock(lock, target):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                lock.unlink()
                folder.rmdir()


def remove(folder: Path) -> None:
    """Remove a folder and what lies in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _open_lock(lock: Path, target: Path) -> IO[bytes]:
    while True:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            file = lock.open("wb")
        except OSError as error:
            raise _unwritable(target, error) from error
        if not _is_ours(file):
            file.close()
            msg = f"{target}: another process is making this file; wait for it, or choose another name"
            raise ResumeError(msg)
        # Whoever held it before may have removed it just now; then the lock is on a file that nobody else sees.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def _is_ours(file: IO[bytes]) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: two generations at once write equal bytes anyway
    return True


def _unwritable(path: Path, error: OSError) -> ResumeError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "make room and run the same command again" if full else "check the folder and its permissions"
    return ResumeError(f"{path}: cannot be written ({error.strerror}); no finished piece is lost; {remedy}")
