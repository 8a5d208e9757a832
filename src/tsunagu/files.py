"""Files that are whole or absent, and locks that the operating system takes back from whoever dies."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tsunagu.errors import ResumeError

__all__ = ["flush_folder", "hold", "write_bytes"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TAKEN = (errno.EACCES, errno.EAGAIN)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file at once: whoever reads it finds the old content or the new, never a part.

    Several processes may write the same file; the last one stays. A process that is killed while it writes leaves a
    file ``<name>.<its number>.part``.

    Raises:
        ResumeError: the disk is full or the file cannot be written; what was there before is untouched.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "new folder", "note.txt")
    >>> write_bytes(path, b"whole")
    >>> path.read_bytes()
    b'whole'
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
        with suppress(OSError):
            part.unlink()
        raise _unwritable(path, error) from error


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can; renames before it survive a loss of power."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def hold(path: Path, what: Path) -> Iterator[None]:
    """Hold a lock file while the block runs; it holds its owner's process number, for messages.

    Where the system or a network folder offers no locks, nothing is held. The file stays when the block ends; its owner
    may remove it inside the block, and whoever waited for it then makes another one.

    Args:
        path: of the lock file.
        what: is worked on, for the message.

    Raises:
        ResumeError: another process holds it, or the file cannot be made.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "lock"
    >>> with hold(path, Path("out/trials/0123")):
    ...     with hold(path, Path("out/trials/0123")):
    ...         pass
    Traceback (most recent call last):
    tsunagu.errors.ResumeError: ...
    """
    with _locked(path, what) as file:
        # The number is for messages only; on a full disk it may be missing.
        with suppress(OSError):
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield


def _locked(path: Path, what: Path) -> IO[bytes]:
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("ab+", buffering=0)
        except OSError as error:
            raise _unwritable(what, error) from error
        if not _lock(file):
            raise ResumeError(_busy(file, what))
        # Whoever held it may have removed it just now; then this lock is on a file that nobody else sees.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def _lock(file: IO[bytes]) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _TAKEN
    return True


def _busy(file: IO[bytes], what: Path) -> str:
    with file:
        file.seek(0)
        owner = f"process {file.read().decode(errors='replace') or 'unknown'}"
    return f"{what}: {owner} is working on it; wait for it, or stop it and run the same command again"


def _unwritable(path: Path, error: OSError) -> ResumeError:
    full = error.errno in _FULL
    remedy = "make room and run the same command again" if full else "check the folder and its permissions"
    return ResumeError(f"{path}: cannot be written ({error.strerror}); nothing finished is lost; {remedy}")
