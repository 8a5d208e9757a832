"""Files that are whole or absent."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tsunagu.errors import ResumeError
from tsunagu.files import hold, write_bytes


def test_a_full_disk_keeps_the_old_file_and_leaves_no_part(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    write_bytes(path, b"old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResumeError, match=r"result.json: cannot be written \(No space left.*make room"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["result.json"]


def _write_often(path, letter):
    for _ in range(50):
        write_bytes(path, letter * 5000)


def test_two_processes_may_write_one_file(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    path = tmp_path / "results.csv"
    writers = [spawn.Process(target=_write_often, args=(path, letter)) for letter in (b"a", b"b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert path.read_bytes() in (b"a" * 5000, b"b" * 5000)
    assert [found.name for found in tmp_path.iterdir()] == ["results.csv"]


def test_a_real_limit_on_the_size_of_files_is_a_clear_error(tmp_path):
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from tsunagu.files import write_bytes\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_bytes(Path(sys.argv[1]), b'x' * 5000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "f")], capture_output=True, text=True, check=False
    )
    assert "ResumeError" in done.stderr
    assert "make room" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named():
    with pytest.raises(ResumeError, match=r"null/x/f: cannot be written"):
        write_bytes(Path("/dev/null/x/f"), b"")


@pytest.mark.skipif(os.name == "nt", reason="no locks there")
def test_a_lock_that_was_removed_meanwhile_is_made_anew(tmp_path):
    lock, target = tmp_path / "lock", tmp_path / "result"
    busy = pytest.raises(ResumeError, match=rf"result: process {os.getpid()} is working on it")
    with hold(lock, target):
        lock.unlink()
        with hold(lock, target), busy, hold(lock, target):
            pass


def test_a_lock_that_cannot_be_made_names_what_it_is_for():
    with (
        pytest.raises(ResumeError, match=r"out/result: cannot be written"),
        hold(Path("/dev/null/lock"), Path("out/result")),
    ):
        pass
