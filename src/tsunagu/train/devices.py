"""Which device a training runs on."""

from __future__ import annotations

import re

import torch

from tsunagu.errors import Mistake, SpecError
from tsunagu.spec.fields import DEVICES

__all__ = ["choose_device", "describe_device"]


def choose_device(asked: str = "auto", *, place: int | None = None) -> torch.device:
    """The device that a word means on this machine.

    Args:
        asked: ``cpu``, ``cuda``, one GPU such as ``cuda:1``, or ``auto``: a GPU where torch sees one, else the CPU.
        place: the number of this process on this machine, where several share a training: each takes its own GPU.

    Raises:
        SpecError: a GPU that is not there; the message says what was found.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    if re.fullmatch(DEVICES, asked) is None:
        raise _mistake(_UNKNOWN.format(asked=asked))
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    kind, _, number = asked.partition(":")
    if kind == "cpu" or (kind == "auto" and not count):
        return torch.device("cpu")
    if number and place is not None:
        raise _mistake(_NUMBERED.format(asked=asked))
    chosen = int(number) if number else place or 0
    if chosen >= count:
        raise _mistake(_absent(asked, chosen, count, place))
    return torch.device("cuda", chosen)


def describe_device(device: torch.device) -> str:
    """A device with its model, for the record.

    >>> describe_device(torch.device("cpu"))
    'cpu'
    """
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


_UNKNOWN = "expected auto, cpu, cuda or cuda:<number>, found '{asked}'"
_NUMBERED = "each process of torchrun takes a GPU of its own; expected cuda or auto, found {asked}"


def _absent(asked: str, chosen: int, count: int, place: int | None) -> str:
    if not count:
        why = "is built without CUDA" if torch.version.cuda is None else "finds no GPU"
        return f"{asked} was asked for, but torch {torch.__version__} {why}; expected cpu or auto"
    seen = f"torch finds {count} GPU{'s' if count > 1 else ''}"
    if place is not None:
        return f"process {chosen} of this machine has no GPU: {seen}; start no more processes than that"
    return f"{asked} was asked for, but {seen}; expected a number from 0 to {count - 1}"


def _mistake(message: str) -> SpecError:
    return SpecError([Mistake(("device",), message)])
