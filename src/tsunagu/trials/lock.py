"""One process at a time in a folder: a lock that the operating system takes back from whoever dies."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tsunagu.errors import ResumeError

__all__ = ["hold"]

_TAKEN = (errno.EACCES, errno.EAGAIN)


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a lock file while the block runs; it holds its owner's process number, for messages.

    Where the system or a network folder offers no locks, nothing is held.

    Raises:
        ResumeError: another process holds it, or the file cannot be made.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "lock"
    >>> with hold(path):
    ...     with hold(path):
    ...         pass
    Traceback (most recent call last):
    tsunagu.errors.ResumeError: ...
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab+", buffering=0)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror}); check the folder's permissions"
        raise ResumeError(msg) from error
    with file:
        if not _lock(file):
            file.seek(0)
            owner = f"process {file.read().decode(errors='replace') or 'unknown'}"
            msg = f"{path}: {owner} is working on this trial; wait for it, or stop it and run again"
            raise ResumeError(msg)
        # The number is for messages only; on a full disk it may be missing.
        with suppress(OSError):
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield


def _lock(file: IO[bytes]) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _TAKEN
    return True
