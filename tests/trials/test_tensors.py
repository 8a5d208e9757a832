from __future__ import annotations

import pytest
import torch

from tsunagu.errors import ResumeError
from tsunagu.trials import read_tensors, write_tensors

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
