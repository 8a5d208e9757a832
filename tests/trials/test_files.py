from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tsunagu.errors import ResumeError
from tsunagu.trials import read_tensors, write_bytes, write_tensors

TENSORS = {
    "w": torch.arange(6.0).reshape(2, 3),
    "n": torch.tensor(3),
    "empty": torch.zeros(0),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "flags": torch.tensor([True, False]),
    "turned": torch.arange(6.0).reshape(2, 3).T,
}


def test_tensors_come_back_as_they_were(tmp_path):
    write_tensors(tmp_path / "t", TENSORS, note="here")
    found, note = read_tensors(tmp_path / "t")
    assert note == "here"
    assert all(
        torch.equal(found[name], TENSORS[name]) and found[name].dtype == TENSORS[name].dtype
        for name in TENSORS
    )


def test_equal_tensors_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_tensors(tmp_path / name, TENSORS, note="here")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.9, 0.999])
def test_a_flipped_bit_is_noticed_anywhere(tmp_path, place):
    path = tmp_path / "t"
    write_tensors(path, TENSORS, note="here")
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0x04
    path.write_bytes(content)
    with pytest.raises(ResumeError, match=r"t: damaged .*remove this file"):
        read_tensors(path)


@pytest.mark.parametrize("length", [0, 4, 50, -1])
def test_a_truncated_file_is_noticed(tmp_path, length):
    path = tmp_path / "t"
    write_tensors(path, TENSORS)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ResumeError, match="damaged"):
        read_tensors(path)


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
        "from tsunagu.trials import write_bytes\n"
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
