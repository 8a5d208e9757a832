"""Tensors in files: read without executing code, and with a checksum, so that damage is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from tsunagu.errors import ResumeError
from tsunagu.files import write_bytes

__all__ = ["read_tensors", "write_tensors"]

# One entry only: the library writes several in an order that changes from run to run.
NOTES = "tsunagu"


def write_tensors(path: Path, tensors: Mapping[str, Tensor], note: str = "") -> None:
    """Write tensors, with a note and a checksum, such that reading executes no code (safetensors).

    >>> import tempfile, torch
    >>> path = Path(tempfile.mkdtemp()) / "state.safetensors"
    >>> write_tensors(path, {"w": torch.ones(2)}, note="epoch 3")
    >>> read_tensors(path)
    ({'w': tensor([1., 1.])}, 'epoch 3')
    """
    plain = {name: value.detach().contiguous().cpu().clone() for name, value in tensors.items()}
    write_bytes(path, save(plain, {NOTES: json.dumps({"note": note, "checksum": _checksum(plain, note)})}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors and the note that :func:`write_tensors` wrote.

    Raises:
        ResumeError: the file is damaged; the message names it and says what to do.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = json.loads((file.metadata() or {})[NOTES])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        intact = notes.get("checksum") == _checksum(tensors, notes.get("note", ""))
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ResumeError(_damaged(path, str(error))) from error
    if not intact:
        raise ResumeError(_damaged(path, "the checksum does not match"))
    return tensors, notes["note"]


def _damaged(path: Path, why: str) -> str:
    return f"{path}: damaged ({why}); remove this file to begin the trial again, finished trials are kept"


def _checksum(tensors: Mapping[str, Tensor], note: str) -> str:
    digest = hashlib.sha256(note.encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(json.dumps([name, str(value.dtype), list(value.shape)]).encode())
        # As bytes, since numpy does not know every dtype (bfloat16).
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
